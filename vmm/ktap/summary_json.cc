#include "vmm/ktap/summary_json.h"

#include <string>

namespace vmm {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostFailures = 100;
constexpr size_t kMostErrors = 20;

void AddFailures(const std::vector<TestResult>& tests, const std::string& path, ordered_json& list) {
  for (const TestResult& test : tests) {
    if (list.size() >= kMostFailures) return;
    const std::string name = path.empty() ? test.name : path + " / " + test.name;
    AddFailures(test.subtests, name, list);
    if (!IsFailure(test.verdict) || AnyFailed(test.subtests) || list.size() >= kMostFailures) continue;
    list.push_back({{"name", name}, {"verdict", std::string(VerdictName(test.verdict))}, {"message", test.message}});
  }
}

}  // namespace

ordered_json TestsJson(const ResultTree& tree) {
  const TestTotals totals = CountTests(tree);
  ordered_json failures = ordered_json::array();
  AddFailures(tree.tests, "", failures);
  ordered_json errors = ordered_json::array();
  for (size_t i = 0; i < std::min(tree.stream_errors.size(), kMostErrors); ++i) errors.push_back(tree.stream_errors[i]);
  ordered_json json = {{"passed", AllPassed(tree)},
                       {"total", totals.all() + tree.results_dropped},
                       {"ok", totals.ok},
                       {"not_ok", totals.not_ok},
                       {"skip", totals.skip},
                       {"todo", totals.todo},
                       {"xfail", totals.xfail},
                       {"timeout", totals.timeout},
                       {"error", totals.error},
                       {"crashed", totals.crashed},
                       {"not_run", totals.not_run},
                       {"not_kept", tree.results_dropped},
                       {"not_kept_failed", tree.failures_dropped},
                       {"skip_reason", nullptr},
                       {"failures", failures},
                       {"stream_errors_seen", tree.stream_errors_seen},
                       {"stream_errors", errors}};
  if (tree.skip_reason.has_value()) json["skip_reason"] = *tree.skip_reason;
  return json;
}

}  // namespace vmm
