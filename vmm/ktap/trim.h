// Cuts words off a view. Debian's Abseil has these for its own string_view only.
#ifndef VMM_KTAP_TRIM_H_
#define VMM_KTAP_TRIM_H_

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "absl/strings/ascii.h"

namespace vmm {

inline std::string_view TrimLeft(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  return text;
}

inline std::string_view TrimRight(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

inline std::string_view Trim(std::string_view text) { return TrimLeft(TrimRight(text)); }

// True if `text` begins with `prefix`, which is then taken off.
inline bool TakeFront(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

inline bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return absl::ascii_tolower(x) == absl::ascii_tolower(y); });
}

// True if all of `text` is a number that fits `number`.
template <typename T>
bool ReadNumber(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace vmm

#endif  // VMM_KTAP_TRIM_H_
