#include "vmm/lib/from_run_outcome.h"

#include "vmm/ktap/junit_xml.h"
#include "vmm/ktap/test_result.h"
#include "vmm/outcome/result_json.h"
#include "vmm/outcome/test_results.h"

namespace libvmm {
namespace {

using Kind = vmm::RunOutcome::Kind;

// Recurses as deep as the tree, which the parser limits.
std::vector<Subtest> FromResults(const std::vector<vmm::TestResult>& results) {
  std::vector<Subtest> subtests;
  for (const vmm::TestResult& result : results) {
    subtests.push_back({.name = result.name,
                        .verdict = std::string(vmm::VerdictName(result.verdict)),
                        .failed = vmm::IsFailure(result.verdict),
                        .message = result.message,
                        .subtests = FromResults(result.subtests)});
  }
  return subtests;
}

}  // namespace

absl::StatusOr<RunOutcome> FromRunOutcome(const vmm::VmConfig& config, const vmm::RunOutcome& outcome) {
  if (outcome.kind == Kind::kVmmError || outcome.kind == Kind::kNoProgram) return outcome.error;
  RunOutcome result;
  result.outcome = vmm::OutcomeName(outcome);
  result.exit_code = vmm::ExitCodeOf(outcome);
  if (outcome.kind == Kind::kGuestExit) result.status = outcome.guest_status;
  result.summary = vmm::OutcomeLine(outcome);
  if (const std::optional<vmm::GuestDeath> death = vmm::DeathOf(outcome)) result.cause = death->message;
  if (outcome.kind == Kind::kPanic || outcome.kind == Kind::kHang) result.signature = vmm::SignatureOf(outcome);
  if (outcome.dump.has_value()) result.dump_path = outcome.dump->path;
  result.record = vmm::ResultJson(config, outcome);
  if (outcome.tests.has_value()) {
    const std::string& path = config.program.has_value() ? config.program->words[0] : config.boot.kernel_path;
    const std::string name = path.substr(path.rfind('/') + 1);
    result.junit = vmm::JunitXml(vmm::JunitSuitesOf(*outcome.tests, name, /*must_have_tests=*/false));
    result.subtests = FromResults(outcome.tests->tests);
  }
  return result;
}

}  // namespace libvmm
