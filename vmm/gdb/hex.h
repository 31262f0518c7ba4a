// Hexadecimal text, as gdb's protocol uses it everywhere.
#ifndef VMM_GDB_HEX_H_
#define VMM_GDB_HEX_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmm {

// Two digits a byte.
std::string ToHex(std::span<const uint8_t> bytes);
std::string ToHex(std::string_view text);

// Empty for an odd number of digits, or for anything that is no digit.
std::optional<std::vector<uint8_t>> FromHex(std::string_view digits);

// A number of 1 to 16 digits, without a prefix.
std::optional<uint64_t> ParseHex(std::string_view digits);

// Removes the text up to the first `separator` from `rest`, and the separator, and returns the text. Without a
// separator that is all of it.
std::string_view TakeUpTo(std::string_view& rest, char separator);

}  // namespace vmm

#endif  // VMM_GDB_HEX_H_
