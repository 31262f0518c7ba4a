// vmm: flags -> VmConfig -> RunVm -> exit code; or one of the commands that are a first word.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result_file.h"
#include "base/status.h"
#include "vmm/batch/batch_command.h"
#include "vmm/cli/flags.h"
#include "vmm/doctor/doctor_command.h"
#include "vmm/outcome/result_json.h"
#include "vmm/outcome/run_outcome.h"
#include "vmm/outcome/test_results.h"
#include "vmm/run/run_vm.h"
#include "vmm/run/stop_signals.h"

namespace {

// If we start without a standard stream, the next file that we open gets its number, and the guest would print into
// that file.
void OpenMissingStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);  // takes the lowest free number, `fd`
  }
}

// Null without --result.
absl::StatusOr<std::unique_ptr<vmm::ResultFile>> OpenRecord(const vmm::VmConfig& config) {
  if (config.result_path.empty()) return nullptr;
  return vmm::Annotate(vmm::ResultFile::Open(config.result_path), "--result=" + config.result_path);
}

}  // namespace

int main(int argc, char** argv) {
  OpenMissingStreams();
  vmm::SetUpLog(/*verbose=*/false);
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (!words.empty() && words[0] == "batch") return vmm::BatchCommand({words.begin() + 1, words.end()});
  if (!words.empty() && words[0] == "doctor") return vmm::DoctorCommand({words.begin() + 1, words.end()});
  const absl::StatusOr<vmm::VmmInvocation> invocation = vmm::ParseCommandLine(argc, argv);
  absl::StatusOr<std::unique_ptr<vmm::StopSignals>> signals;
  vmm::RunOutcome outcome;
  if (!invocation.ok()) {
    outcome.error = invocation.status();
  } else if (invocation->text.has_value()) {
    std::fputs(invocation->text->c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : vmm::ExitCodeOf(outcome);
  } else {
    vmm::SetUpLog(invocation->config.verbose);
    const vmm::VmConfig& config = invocation->config;
    // Opened first, so that the guest does not boot in vain.
    const absl::StatusOr<std::unique_ptr<vmm::ResultFile>> record = OpenRecord(config);
    absl::StatusOr<vmm::TestFiles> tests = vmm::TestFiles::Open(config);
    // Blocked until the record and the last line are written: neither a second signal nor a reader that left may cut
    // them off.
    signals = vmm::StopSignals::Block();
    outcome.error = !record.ok() ? record.status() : !tests.ok() ? tests.status() : signals.status();
    if (outcome.error.ok()) outcome = vmm::RunVm(config);
    const int stop_fd = signals.ok() ? (*signals)->fd() : -1;
    if (tests.ok()) outcome.record_error = tests->Write(config, outcome, stop_fd);
    if (record.ok() && *record != nullptr) {
      const absl::Status written =
          vmm::Annotate((*record)->Write(vmm::ResultJson(config, outcome), stop_fd), "--result=" + config.result_path);
      if (outcome.record_error.ok()) outcome.record_error = written;
    }
  }
  const bool verbose = invocation.ok() && invocation->config.verbose;
  if (verbose || !vmm::IsProgramsOwnEnd(outcome)) vmm::LogInfo(vmm::OutcomeLine(outcome));
  return vmm::ExitCodeOf(outcome);
}
