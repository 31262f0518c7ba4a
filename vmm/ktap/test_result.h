// The results of tests as a tree: plain data that the parser makes and the writers read.
#ifndef VMM_KTAP_TEST_RESULT_H_
#define VMM_KTAP_TEST_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace vmm {

enum class Verdict {
  kOk,
  kNotOk,
  kSkip,
  kTodo,     // not finished yet by its author: neither a pass nor a failure
  kXfail,    // failed, as expected
  kTimeout,  // took too long: in the guest's own view, or the guest as a whole
  kError,    // could not say how it ended: a setup that failed, a missing result line
  kCrashed,  // was running when the guest died
  kNotRun,   // was planned, and the stream ended before it
};

std::string_view VerdictName(Verdict verdict);  // "ok", "not ok", "skip", ...

// True for the verdicts that make a run a failed one: not ok, timeout, error, crashed.
bool IsFailure(Verdict verdict);

// Parents stand for a program or suite, and own the results of their subtests.
struct TestResult {
  std::string name;  // unique among its siblings once the parser is closed
  Verdict verdict = Verdict::kOk;
  std::string message;                     // what the result line says after its directive, or why there is no result
  std::string diagnostics;                 // lines, each with its newline; capped
  uint64_t diagnostics_dropped = 0;        // bytes beyond the cap
  std::optional<absl::Duration> duration;  // as far as the stream tells it
  std::vector<TestResult> subtests;
};

struct ResultTree {
  std::vector<TestResult> tests;
  std::optional<std::string> skip_reason;  // the whole stream was skipped: "1..0 # SKIP why"

  // The first faults of the stream itself, each with its line number, and how many there were.
  std::vector<std::string> stream_errors;
  uint64_t stream_errors_seen = 0;

  // Results beyond the limit on the number of tests: counted, not kept.
  uint64_t results_dropped = 0;
  uint64_t failures_dropped = 0;

  bool saw_results = false;  // false: the stream had no result line at all
};

// Counts each test without subtests once. A parent counts only if it failed and none of its subtests did: otherwise
// its subtests already tell why.
struct TestTotals {
  uint64_t ok = 0, not_ok = 0, skip = 0, todo = 0, xfail = 0, timeout = 0, error = 0, crashed = 0, not_run = 0;

  uint64_t all() const { return ok + not_ok + skip + todo + xfail + timeout + error + crashed + not_run; }
  uint64_t failed() const { return not_ok + timeout + error + crashed; }
};

TestTotals CountTests(const ResultTree& tree);

// True if nothing failed and nothing that was planned is missing. A tree without any test passes.
bool AllPassed(const ResultTree& tree);

// True if the test or one of its subtests failed. Recurses as deep as the tree, which the parser limits.
bool HasFailure(const TestResult& test);
bool AnyFailed(const std::vector<TestResult>& tests);

// Gives equal names among siblings a number: "sums", "sums (2)". A harness that keeps one result a name would let a
// later pass hide an earlier failure.
void MakeNamesUnique(std::vector<TestResult>& tests);

}  // namespace vmm

#endif  // VMM_KTAP_TEST_RESULT_H_
