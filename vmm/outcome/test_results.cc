#include "vmm/outcome/test_results.h"

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/ktap/junit_xml.h"
#include "vmm/ktap/ktap_text.h"

namespace vmm {
namespace {

constexpr size_t kMostDetails = 20;  // lines of the log, and frames of the stack

using Kind = RunOutcome::Kind;

std::string MessageOf(const RunOutcome& outcome) {
  if (outcome.death.has_value() && !outcome.death->message.empty()) return outcome.death->message;
  if (outcome.kind == Kind::kVmmError) return std::string(outcome.error.message());
  if (outcome.kind == Kind::kPanic && outcome.panic.has_value() && !outcome.panic->detail.empty()) {
    return outcome.panic->detail;
  }
  if (outcome.kind == Kind::kHang && outcome.hang.has_value()) return outcome.hang->detail;
  if (outcome.kind == Kind::kTimeout) return absl::StrFormat("after %s", absl::FormatDuration(outcome.run_time));
  return OutcomeLine(outcome);
}

std::string DetailsOf(const RunOutcome& outcome) {
  if (!outcome.death.has_value()) return "";
  const std::vector<std::string>& log = outcome.death->log;
  const std::vector<std::string>& stack = outcome.death->stack;
  std::string text;
  for (size_t i = log.size() - std::min(log.size(), kMostDetails); i < log.size(); ++i) text += log[i] + "\n";
  for (size_t i = 0; i < std::min(stack.size(), kMostDetails); ++i) text += stack[i] + "\n";
  return text;
}

// The run's name for people, in a report of many: its kernel's file.
std::string RunName(const VmConfig& config) {
  const std::string& path = config.boot.kernel_path;
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::optional<GuestDeath> DeathOf(const RunOutcome& outcome) {
  if (outcome.kind == Kind::kPowerOff || outcome.kind == Kind::kGuestExit) return std::nullopt;
  return GuestDeath{.kind = std::string(OutcomeName(outcome)),
                    .message = MessageOf(outcome),
                    .details = DetailsOf(outcome),
                    .timeout = outcome.kind == Kind::kTimeout};
}

void AddStatus(const RunOutcome& outcome, ResultTree& tests) {
  constexpr uint32_t kSkipped = 4;
  if (outcome.kind != Kind::kGuestExit || outcome.guest_status == 0 || !AllPassed(tests)) return;
  if (outcome.guest_status == kSkipped && tests.skip_reason.has_value()) return;
  tests.tests.push_back({.name = "exit status",
                         .verdict = Verdict::kNotOk,
                         .message = absl::StrFormat("the guest ended with status %d", outcome.guest_status)});
  MakeNamesUnique(tests.tests);
}

absl::StatusOr<TestFiles> TestFiles::Open(const VmConfig& config) {
  TestFiles files;
  if (!config.ktap_path.empty()) {
    ASSIGN_OR_RETURN(files.ktap_, Annotate(ResultFile::Open(config.ktap_path), "--ktap=" + config.ktap_path));
  }
  if (!config.junit_path.empty()) {
    ASSIGN_OR_RETURN(files.junit_, Annotate(ResultFile::Open(config.junit_path), "--junit=" + config.junit_path));
  }
  return files;
}

absl::Status TestFiles::Write(const VmConfig& config, const RunOutcome& outcome, int stop_fd) {
  ResultTree no_run;
  if (!outcome.tests.has_value()) no_run = KtapParser().Close(DeathOf(outcome));
  const ResultTree& tests = outcome.tests.has_value() ? *outcome.tests : no_run;
  if (ktap_ != nullptr) {
    RETURN_IF_ERROR(Annotate(ktap_->Write(KtapText(tests), stop_fd), "--ktap=" + config.ktap_path));
  }
  if (junit_ == nullptr) return absl::OkStatus();
  const std::vector<JunitSuite> suites = JunitSuitesOf(tests, RunName(config), /*must_have_tests=*/true);
  return Annotate(junit_->Write(JunitXml(suites), stop_fd), "--junit=" + config.junit_path);
}

}  // namespace vmm
