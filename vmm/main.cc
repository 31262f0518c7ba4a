// vmm: flags -> VmConfig -> RunVm -> exit code.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/log.h"
#include "base/result_file.h"
#include "base/status.h"
#include "vmm/cli/flags.h"
#include "vmm/outcome/result_json.h"
#include "vmm/outcome/run_outcome.h"
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
    // Blocked until the record and the last line are written: neither a second signal nor a reader that left may cut
    // them off.
    signals = vmm::StopSignals::Block();
    outcome.error = record.ok() ? signals.status() : record.status();
    if (outcome.error.ok()) outcome = vmm::RunVm(config);
    if (record.ok() && *record != nullptr) {
      const int stop_fd = signals.ok() ? (*signals)->fd() : -1;
      outcome.record_error =
          vmm::Annotate((*record)->Write(vmm::ResultJson(config, outcome), stop_fd), "--result=" + config.result_path);
    }
  }
  const bool verbose = invocation.ok() && invocation->config.verbose;
  if (verbose || !vmm::IsProgramsOwnEnd(outcome)) vmm::LogInfo(vmm::OutcomeLine(outcome));
  return vmm::ExitCodeOf(outcome);
}
