// Turns a run with a program of the user's into one with an initrd and a command line.
#ifndef VMM_RUN_WITH_PROGRAM_H_
#define VMM_RUN_WITH_PROGRAM_H_

#include "absl/status/statusor.h"
#include "vmm/config/vm_config.h"

namespace vmm {

// Returns `config` with its program packed. A NoProgramError if the guest could not run it.
absl::StatusOr<VmConfig> WithProgram(const VmConfig& config);

}  // namespace vmm

#endif  // VMM_RUN_WITH_PROGRAM_H_
