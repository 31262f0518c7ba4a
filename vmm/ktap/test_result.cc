#include "vmm/ktap/test_result.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

void Count(const std::vector<TestResult>& tests, TestTotals& totals) {
  for (const TestResult& test : tests) {
    Count(test.subtests, totals);
    if (!test.subtests.empty() && (!IsFailure(test.verdict) || AnyFailed(test.subtests))) continue;
    switch (test.verdict) {
      case Verdict::kOk: ++totals.ok; break;
      case Verdict::kNotOk: ++totals.not_ok; break;
      case Verdict::kSkip: ++totals.skip; break;
      case Verdict::kTodo: ++totals.todo; break;
      case Verdict::kXfail: ++totals.xfail; break;
      case Verdict::kTimeout: ++totals.timeout; break;
      case Verdict::kError: ++totals.error; break;
      case Verdict::kCrashed: ++totals.crashed; break;
      case Verdict::kNotRun: ++totals.not_run; break;
    }
  }
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk: return "ok";
    case Verdict::kNotOk: return "not ok";
    case Verdict::kSkip: return "skip";
    case Verdict::kTodo: return "todo";
    case Verdict::kXfail: return "xfail";
    case Verdict::kTimeout: return "timeout";
    case Verdict::kError: return "error";
    case Verdict::kCrashed: return "crashed";
    case Verdict::kNotRun: return "not run";
  }
  return "?";
}

bool IsFailure(Verdict verdict) {
  return verdict == Verdict::kNotOk || verdict == Verdict::kTimeout || verdict == Verdict::kError ||
         verdict == Verdict::kCrashed;
}

bool HasFailure(const TestResult& test) { return IsFailure(test.verdict) || AnyFailed(test.subtests); }

bool AnyFailed(const std::vector<TestResult>& tests) { return std::any_of(tests.begin(), tests.end(), HasFailure); }

TestTotals CountTests(const ResultTree& tree) {
  TestTotals totals;
  Count(tree.tests, totals);
  return totals;
}

bool AllPassed(const ResultTree& tree) {
  return !AnyFailed(tree.tests) && tree.failures_dropped == 0 && CountTests(tree).not_run == 0;
}

void MakeNamesUnique(std::vector<TestResult>& tests) {
  // The number for a name only grows, and each number that is skipped was somebody's name: linear in all.
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, uint64_t> next;
  for (TestResult& test : tests) {
    MakeNamesUnique(test.subtests);
    if (taken.insert(test.name).second) continue;
    uint64_t& number = next.emplace(test.name, 2).first->second;
    std::string candidate;
    do candidate = absl::StrFormat("%s (%d)", test.name, number++);
    while (!taken.insert(candidate).second);
    test.name = candidate;
  }
}

}  // namespace vmm
