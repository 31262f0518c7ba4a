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
// only for programs is an error, except --shell. The kernel modules of --module are the caller's to add: without a
// program that flag names boot modules.
absl::StatusOr<std::optional<ProgramConfig>> ProgramFromFlags(std::vector<std::string> words);

// The shell of --shell: the user's own in the host's own root, else /bin/sh.
std::string ShellFor(const std::optional<RootTree>& root);

// "HOST[:GUEST]": the paths on the host and in the guest, the latter absolute. Without GUEST it is HOST's own.
absl::StatusOr<std::pair<std::string, std::string>> ParseFilePair(const std::string& text);

// "NAME=VALUE", or "NAME" for the value that it has here.
absl::StatusOr<std::string> ParseVariable(const std::string& text);

}  // namespace vmm

#endif  // VMM_CLI_PROGRAM_FLAGS_H_
