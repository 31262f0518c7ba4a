// Turns the command line of the `vmm` program into a VmConfig.
#ifndef VMM_CLI_FLAGS_H_
#define VMM_CLI_FLAGS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "vmm/config/vm_config.h"

namespace vmm {

// The command line asks for a run, or for a text to print before exit.
struct VmmInvocation {
  std::optional<std::string> text;  // --help, --version
  VmConfig config;
};

// InvalidArgument names the wrong flag and says what would be right.
absl::StatusOr<VmmInvocation> ParseCommandLine(int argc, char** argv);

}  // namespace vmm

#endif  // VMM_CLI_FLAGS_H_
