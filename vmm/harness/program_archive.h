// The initramfs of a guest that runs a program of the user's: our init, the program and all that it needs, and the plan
// by which init starts it.
#ifndef VMM_HARNESS_PROGRAM_ARCHIVE_H_
#define VMM_HARNESS_PROGRAM_ARCHIVE_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/input_file.h"
#include "vmm/harness/program_config.h"

namespace vmm {

// `kernel_path` is the kernel that will run, for its modules. A NoProgramError if the guest could not run the program;
// other errors name the flag at fault.
absl::StatusOr<InputFile> MakeProgramArchive(const ProgramConfig& config, const std::string& kernel_path);

// The kernel's command line for such a guest: `line`, with the serial console, and quiet, unless it says otherwise.
std::string ProgramCommandLine(const std::string& line, bool verbose);

}  // namespace vmm

#endif  // VMM_HARNESS_PROGRAM_ARCHIVE_H_
