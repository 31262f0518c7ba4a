// vmm: flags -> VmConfig -> RunVm -> exit code.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "base/log.h"
#include "vmm/cli/flags.h"
#include "vmm/outcome/result_json.h"
#include "vmm/outcome/run_outcome.h"
#include "vmm/run/run_vm.h"
#include "vmm/run/stop_signals.h"

namespace {

// The number of a standard stream that we were started without would go to the next file that we open,
// and the guest would print into that.
void OpenMissingStreams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);  // takes the lowest free number, `fd`
  }
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
    // Until the record and the last line are written: neither a second signal nor a reader that left may cut them off.
    signals = vmm::StopSignals::Block();
    if (signals.ok()) {
      outcome = vmm::RunVm(invocation->config);
    } else {
      outcome.error = signals.status();
    }
    vmm::WriteResult(invocation->config, outcome, signals.ok() ? (*signals)->fd() : -1);
  }
  vmm::LogInfo(vmm::OutcomeLine(outcome));
  return vmm::ExitCodeOf(outcome);
}
