#include "vmm/boot/command_line.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

bool IsBlank(char c) { return static_cast<unsigned char>(c) <= ' '; }

// Calls `matches` with each word until it returns true.
template <typename Matches>
bool AnyWord(std::string_view line, Matches matches) {
  while (!line.empty()) {
    const auto start = std::find_if_not(line.begin(), line.end(), IsBlank);
    const auto end = std::find_if(start, line.end(), IsBlank);
    if (start != end && matches(std::string_view(start, end))) return true;
    line = std::string_view(end, line.end());
  }
  return false;
}

}  // namespace

absl::Status CheckCommandLine(std::string_view line, uint32_t cmdline_size) {
  const uint64_t limit = std::min<uint64_t>(cmdline_size, kCommandLineMax - 1);
  if (line.size() > limit) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the command line has %d bytes, this kernel's limit is %d (cmdline_size %d)", line.size(),
                        limit, cmdline_size));
  }
  if (const size_t nul = line.find('\0'); nul != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the command line has a NUL byte at %d: the kernel would not see the rest", nul));
  }
  return absl::OkStatus();
}

absl::Status WriteCommandLine(GuestMemory& memory, std::string_view line) {
  const std::string terminated(line);
  return memory.Write(kCommandLine, {reinterpret_cast<const uint8_t*>(terminated.c_str()), terminated.size() + 1});
}

bool HasWord(std::string_view line, std::string_view word) {
  return AnyWord(line, [word](std::string_view candidate) { return candidate == word; });
}

bool HasWordBeginning(std::string_view line, std::string_view prefix) {
  return AnyWord(line, [prefix](std::string_view candidate) { return candidate.starts_with(prefix); });
}

}  // namespace vmm
