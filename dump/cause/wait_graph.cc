#include "dump/cause/wait_graph.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace vmm {
namespace {

class Linker {
 public:
  Linker(WaitGraph& graph, Meter& meter) : graph_(graph), meter_(meter) {
    for (size_t i = 0; i < graph.waits.size(); ++i) wait_of_.emplace(graph.waits[i].task, i);
  }

  // Follows each wait until it meets a task that was seen before: in this walk, then there is a cycle, or in another.
  void FindDeadlocks() {
    std::vector<size_t> walk_of(graph_.waits.size(), 0);  // 0: not seen
    for (size_t start = 0; start < graph_.waits.size(); ++start) {
      std::optional<size_t> at = start;
      while (at.has_value() && walk_of[*at] == 0 && meter_.Step()) {
        walk_of[*at] = start + 1;
        at = Next(*at);
      }
      if (at.has_value() && walk_of[*at] == start + 1 && !deadlock_of_.contains(*at)) AddDeadlock(*at);
    }
  }

  void FindChains() {
    std::set<size_t> owners;
    for (const Wait& wait : graph_.waits) {
      if (wait.owner.has_value()) owners.insert(*wait.owner);
    }
    for (size_t i = 0; i < graph_.waits.size() && graph_.chains.size() < kMaxWaits; ++i) {
      if (!owners.contains(graph_.waits[i].task)) AddChain(i);
    }
    const auto rank = [this](const WaitChain& chain) {
      return std::tuple(!graph_.waits[chain.waits.front()].uninterruptible, ~chain.waits.size());
    };
    std::stable_sort(graph_.chains.begin(), graph_.chains.end(),
                     [&](const WaitChain& a, const WaitChain& b) { return rank(a) < rank(b); });
    if (graph_.chains.size() > kMaxChains) graph_.chains.resize(kMaxChains);
  }

 private:
  // The wait of the task that holds the lock of `wait`.
  std::optional<size_t> Next(size_t wait) const {
    const std::optional<size_t> owner = graph_.waits[wait].owner;
    if (!owner.has_value()) return std::nullopt;
    const auto next = wait_of_.find(*owner);
    return next != wait_of_.end() ? std::optional(next->second) : std::nullopt;
  }

  void AddDeadlock(size_t first) {
    Deadlock& deadlock = graph_.deadlocks.emplace_back();
    size_t at = first;
    do {
      deadlock_of_[at] = graph_.deadlocks.size() - 1;
      deadlock.waits.push_back(at);
      if (graph_.waits[at].lock.certainty == Certainty::kGuess) deadlock.certainty = Certainty::kGuess;
      at = *Next(at);
    } while (at != first);
  }

  void AddChain(size_t first) {
    WaitChain chain;
    std::optional<size_t> at = first;
    while (at.has_value() && !deadlock_of_.contains(*at)) {
      if (chain.waits.size() >= kMaxChainLength || !meter_.Step()) {
        chain.cut = true;
        break;
      }
      chain.waits.push_back(*at);
      if (graph_.waits[*at].lock.certainty == Certainty::kGuess) chain.certainty = Certainty::kGuess;
      at = Next(*at);
    }
    if (chain.waits.empty()) return;
    if (at.has_value() && !chain.cut) chain.deadlock = deadlock_of_[*at];
    if (!at.has_value()) chain.last = graph_.waits[chain.waits.back()].owner;
    graph_.chains.push_back(std::move(chain));
  }

  WaitGraph& graph_;
  Meter& meter_;
  std::map<size_t, size_t> wait_of_;      // by task
  std::map<size_t, size_t> deadlock_of_;  // by wait
};

}  // namespace

WaitGraph LinkWaits(std::vector<Wait> waits, Meter& meter) {
  WaitGraph graph;
  graph.waits = std::move(waits);
  Linker linker(graph, meter);
  linker.FindDeadlocks();
  linker.FindChains();
  return graph;
}

}  // namespace vmm
