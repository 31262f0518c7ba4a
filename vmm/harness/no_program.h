// Errors that say: the guest cannot run this program. They are not vmm's fault, and have an exit code of their own.
#ifndef VMM_HARNESS_NO_PROGRAM_H_
#define VMM_HARNESS_NO_PROGRAM_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace vmm {

// The codes that a shell has for the two cases.
enum class NoProgram : int {
  kCannotExecute = 126,  // it is there, but no program for this guest
  kNotFound = 127,       // it, its interpreter or a library of it is not there
};

absl::Status NoProgramError(NoProgram kind, std::string_view message);

// Nothing for any other error. Annotate() loses the mark, so ask before.
std::optional<NoProgram> KindOfNoProgram(const absl::Status& status);

}  // namespace vmm

#endif  // VMM_HARNESS_NO_PROGRAM_H_
