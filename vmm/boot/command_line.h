// The kernel command line: its limit, and the few words in it that a boot loader must obey.
#ifndef VMM_BOOT_COMMAND_LINE_H_
#define VMM_BOOT_COMMAND_LINE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "base/guest_memory.h"

namespace vmm {

// COMMAND_LINE_SIZE - 1 of x86 kernels: the limit if no header gives one. In bytes.
inline constexpr uint32_t kDefaultCommandLineSize = 2047;

// InvalidArgument if `line` contains a NUL, or if it has more bytes than `cmdline_size` (the header's limit, without
// the terminating NUL) or than our place for it.
absl::Status CheckCommandLine(std::string_view line, uint32_t cmdline_size);

// Writes `line` and its NUL at kCommandLine. REQUIRES: CheckCommandLine() was OK.
absl::Status WriteCommandLine(GuestMemory& memory, std::string_view line);

// True if `word` is a whole word of `line`. As in the kernel's cmdline_find_option_bool(), words are separated by
// blanks or control characters, and quotes have no meaning.
bool HasWord(std::string_view line, std::string_view word);

// True if some word of `line` begins with `prefix`, for example "mem=".
bool HasWordBeginning(std::string_view line, std::string_view prefix);

}  // namespace vmm

#endif  // VMM_BOOT_COMMAND_LINE_H_
