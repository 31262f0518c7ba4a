// The flags and words that name a program for the guest to run.
#ifndef VMM_CLI_PROGRAM_FLAGS_H_
#define VMM_CLI_PROGRAM_FLAGS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/harness/program_config.h"

namespace vmm {

// `words` is what stood after the flags: the program and its arguments. Empty if there are none; then a flag that is
// only for programs is an error.
absl::StatusOr<std::optional<ProgramConfig>> ProgramFromFlags(std::vector<std::string> words);

// "HOST[:GUEST]": the paths on the host and in the guest, the latter absolute. Without GUEST it is HOST's own.
absl::StatusOr<std::pair<std::string, std::string>> ParseFilePair(const std::string& text);

// "NAME=VALUE", or "NAME" for the value that it has here.
absl::StatusOr<std::string> ParseVariable(const std::string& text);

}  // namespace vmm

#endif  // VMM_CLI_PROGRAM_FLAGS_H_
