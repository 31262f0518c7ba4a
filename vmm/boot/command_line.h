// The kernel command line: its limit, and the few words of it that a boot loader must heed.
#ifndef VMM_BOOT_COMMAND_LINE_H_
#define VMM_BOOT_COMMAND_LINE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "base/guest_memory.h"

namespace vmm {

// COMMAND_LINE_SIZE - 1 of x86 kernels: the limit where no header tells one.
inline constexpr uint32_t kDefaultCommandLineSize = 2047;

// InvalidArgument where `line` has a NUL in it, or more bytes than `cmdline_size` (the header's
// limit, terminating NUL not included) or than our place for it.
absl::Status CheckCommandLine(std::string_view line, uint32_t cmdline_size);

// Puts `line` and its NUL at kCommandLine. REQUIRES: CheckCommandLine() was OK.
absl::Status WriteCommandLine(GuestMemory& memory, std::string_view line);

// True iff `word` stands in `line` by itself, as the kernel's cmdline_find_option_bool() has
// it: between blanks or control characters, quotes not heeded.
bool HasWord(std::string_view line, std::string_view word);

// True iff some word of `line` begins with `prefix`, such as "mem=".
bool HasWordBeginning(std::string_view line, std::string_view prefix);

}  // namespace vmm

#endif  // VMM_BOOT_COMMAND_LINE_H_
