// The levels of KtapParser: how they open, how they end, and what becomes of the tests that have no result then.
#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "vmm/ktap/ktap_parser.h"

namespace vmm {
namespace {

// Of a plan's tests that were not run, so many have a line of their own. A plan may say 10^9.
constexpr uint64_t kMostNotRun = 1000;
constexpr std::string_view kNotRunText = "not run";

template <typename T>
void Append(std::vector<T>& to, std::vector<T>& from) {
  if (to.empty()) {
    to.swap(from);
    return;
  }
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

}  // namespace

KtapParser::Frame* KtapParser::Select(int column) {
  if (frames_.back().column < 0) frames_.back().column = column;
  while (frames_.back().column > column) {
    if (frames_.size() > 1 && frames_[frames_.size() - 2].column >= column) {
      EndInnermost({.message = "the stream goes on without it"});
    } else {
      // Nothing was at this depth yet: it holds the parent of what was seen, and that is still to come.
      Frame& innermost = frames_.back();
      Settle(innermost, {.message = "the stream goes on without it"});
      if (frames_.size() + innermost.height >= limits_.depth) {
        TellTooDeep();
        innermost.column = column;
        break;
      }
      Frame parent{.column = column, .subtests_height = innermost.height};
      parent.subtests.swap(innermost.results);
      parent.subtests_title = innermost.title;
      parent.diagnostics.swap(innermost.diagnostics);
      parent.diagnostics_dropped = innermost.diagnostics_dropped;
      innermost = std::move(parent);
    }
  }
  if (frames_.back().column == column) return &frames_.back();
  if (frames_.size() >= limits_.depth) return nullptr;
  frames_.push_back({.column = column, .since = now_});
  return &frames_.back();
}

bool KtapParser::EndInnermost(const Ending& ending) {
  const bool marked = Settle(frames_.back(), ending);
  Frame child = std::move(frames_.back());
  frames_.pop_back();
  Frame& parent = frames_.back();
  Append(parent.subtests, child.results);
  parent.subtests_height = std::max(parent.subtests_height, child.height);
  if (!child.title.empty()) parent.subtests_title = child.title;
  // What the child printed after its last result: its totals.
  parent.diagnostics_dropped += child.diagnostics_dropped;
  const size_t room = limits_.diagnostics - std::min(limits_.diagnostics, parent.diagnostics.size());
  if (child.diagnostics.size() > room) {
    parent.diagnostics_dropped += child.diagnostics.size() - room;
    child.diagnostics.resize(room);
  }
  parent.diagnostics += child.diagnostics;
  return marked;
}

bool KtapParser::Settle(Frame& frame, const Ending& ending) {
  const uint64_t missing = frame.plan.has_value() && *frame.plan > frame.seen ? *frame.plan - frame.seen : 0;
  const bool unnamed = ending.sudden && !frame.plan.has_value();
  if (missing == 0 && frame.running.empty() && frame.subtests.empty() && !unnamed) return false;

  TestResult broken{.name = !frame.running.empty() ? frame.running : frame.subtests_title,
                    .verdict = ending.verdict,
                    .message = ending.message,
                    .diagnostics = std::move(frame.diagnostics),
                    .diagnostics_dropped = frame.diagnostics_dropped,
                    .subtests = std::move(frame.subtests)};
  if (broken.name.empty()) broken.name = kUnnamedTest;
  if (!ending.sudden) {
    TellError(absl::StrFormat("\"%s\" has no result line: %s", broken.name, ending.message));
    broken.message = "no result: " + ending.message;
  }
  if (now_.has_value() && frame.since.has_value() && *now_ >= *frame.since) broken.duration = *now_ - *frame.since;
  for (size_t at = 0; at < ending.details.size();) {
    const size_t end = std::min(ending.details.find('\n', at), ending.details.size());
    AddTo(broken.diagnostics, broken.diagnostics_dropped, ending.details.substr(at, end - at));
    at = end + 1;
  }
  frame.diagnostics.clear();
  frame.diagnostics_dropped = 0;
  frame.subtests.clear();
  frame.subtests_title.clear();
  frame.running.clear();
  ++frame.seen;
  Keep(frame, std::move(broken));

  KeepNotRun(frame, missing > 0 ? missing - 1 : 0);
  frame.plan = std::nullopt;
  return true;
}

void KtapParser::KeepNotRun(Frame& frame, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const bool last = i == kMostNotRun || kept_ >= limits_.tests;
    std::string name = last && i + 1 < count ? absl::StrFormat("(%d more tests)", count - i)
                                             : absl::StrFormat("(test %d)", frame.seen + 1 + i);
    Keep(frame, {.name = std::move(name), .verdict = Verdict::kNotRun, .message = std::string(kNotRunText)});
    if (last) return;
  }
}

void KtapParser::StartSegment(Frame& frame) {
  frame.plan = std::nullopt;
  frame.seen = 0;
  frame.title.clear();
}

void KtapParser::Keep(Frame& frame, TestResult result) {
  const size_t height = std::exchange(frame.subtests_height, 0);
  if (kept_ >= limits_.tests) {
    if (tree_.results_dropped++ == 0)
      TellError(absl::StrFormat("more than %d tests: the rest is counted only", limits_.tests));
    if (IsFailure(result.verdict)) ++tree_.failures_dropped;
    Append(frame.results, result.subtests);
    frame.height = std::max(frame.height, height);
    return;
  }
  frame.height = std::max(frame.height, height + 1);
  ++kept_;
  frame.results.push_back(std::move(result));
}

}  // namespace vmm
