// Who waits for whom: the locks for which tasks sleep, their holders, the chains that these form, and the deadlocks.
#ifndef DUMP_CAUSE_WAIT_GRAPH_H_
#define DUMP_CAUSE_WAIT_GRAPH_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/meter.h"
#include "dump/cause/lock_wait.h"

namespace vmm {

// Bounds of a report. Tasks that wait for locks beyond kMaxWaits are not looked at.
inline constexpr size_t kMaxWaits = 4096;
inline constexpr size_t kMaxChains = 64;
inline constexpr size_t kMaxChainLength = 64;

struct Wait {
  size_t task = 0;  // its index in the list of tasks
  LockWait lock;
  std::optional<size_t> owner;  // the same of the lock's owner

  bool uninterruptible = false;  // the task is in state D
};

// From a task for whose locks nobody waits to the one at the end.
struct WaitChain {
  std::vector<size_t> waits;       // indices in WaitGraph::waits; each one's owner is the next one's task
  std::optional<size_t> deadlock;  // the chain leads to that one: an index in WaitGraph::deadlocks
  std::optional<size_t> last;      // the owner at the end, which waits for no lock; index of a task. None: not known.
  bool cut = false;                // longer than kMaxChainLength
  Certainty certainty = Certainty::kSure;  // that of its least certain link
};

// Tasks that wait for each other in a circle.
struct Deadlock {
  std::vector<size_t> waits;  // the last one's owner is the first one's task
  Certainty certainty = Certainty::kSure;
};

struct WaitGraph {
  std::vector<Wait> waits;
  std::vector<Deadlock> deadlocks;
  std::vector<WaitChain> chains;  // those of uninterruptible tasks first, longer ones first
};

// Links `waits`, one per task, into deadlocks and chains. `meter` pays a step for each link that is followed.
WaitGraph LinkWaits(std::vector<Wait> waits, Meter& meter);

}  // namespace vmm

#endif  // DUMP_CAUSE_WAIT_GRAPH_H_
