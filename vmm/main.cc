// vmm: flags -> VmConfig -> RunVm -> exit code.
#include <cstdio>

#include "vmm/flags.h"
#include "vmm/log.h"
#include "vmm/result_json.h"
#include "vmm/run_outcome.h"
#include "vmm/run_vm.h"

int main(int argc, char** argv) {
  vmm::SetUpLog(/*verbose=*/false);
  const absl::StatusOr<vmm::Invocation> invocation = vmm::ParseCommandLine(argc, argv);
  vmm::RunOutcome outcome;
  if (!invocation.ok()) {
    outcome.error = invocation.status();
  } else if (invocation->text.has_value()) {
    std::fputs(invocation->text->c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : vmm::ExitCodeOf(outcome);
  } else {
    vmm::SetUpLog(invocation->config.verbose);
    outcome = vmm::RunVm(invocation->config);
    vmm::WriteResult(invocation->config, outcome);
  }
  vmm::LogInfo(vmm::OutcomeLine(outcome));
  return vmm::ExitCodeOf(outcome);
}
