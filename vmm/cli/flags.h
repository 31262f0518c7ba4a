// The command line of the `vmm` program, turned into a VmConfig.
#ifndef VMM_CLI_FLAGS_H_
#define VMM_CLI_FLAGS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "vmm/config/vm_config.h"

namespace vmm {

// What the command line asks for: a run, or a text to print and be done.
struct VmmInvocation {
  std::optional<std::string> text;  // --help, --version
  VmConfig config;
};

// InvalidArgument where a flag is wrong, says which, and what would be right.
absl::StatusOr<VmmInvocation> ParseCommandLine(int argc, char** argv);

}  // namespace vmm

#endif  // VMM_CLI_FLAGS_H_
