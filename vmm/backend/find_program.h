// Finds the programs of the host that work for a machine, and asks them what they can do.
#ifndef VMM_BACKEND_FIND_PROGRAM_H_
#define VMM_BACKEND_FIND_PROGRAM_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace vmm {

// The path of the first program of `candidates` that can be run. One without a slash is looked for in PATH, and in
// /usr/sbin, which is not in every user's. NotFound names the first candidate, and `package` of Debian to install.
absl::StatusOr<std::string> FindProgram(std::span<const std::string_view> candidates, std::string_view package);

// What `path` prints when it is run with `option`, at most a few hundred lines. An error if that takes longer than 5
// seconds.
absl::StatusOr<std::string> AskProgram(const std::string& path, const std::string& option);

}  // namespace vmm

#endif  // VMM_BACKEND_FIND_PROGRAM_H_
