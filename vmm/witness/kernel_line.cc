#include "vmm/witness/kernel_line.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"

namespace vmm {
namespace {

size_t CountDigits(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, [](char c) { return absl::ascii_isdigit(c); });
  return static_cast<size_t>(end - text.begin());
}

size_t CountSpaces(std::string_view text) { return std::min(text.find_first_not_of(' '), text.size()); }

// Takes "<6>".
bool TakeLevel(std::string_view& text) {
  if (!text.starts_with("<")) return false;
  const size_t digits = CountDigits(text.substr(1));
  if (digits == 0 || digits > 3 || !text.substr(1 + digits).starts_with(">")) return false;
  text.remove_prefix(digits + 2);
  return true;
}

// Takes "[   12.345678]", without the space after it. Returns how many decimals the time has.
std::optional<size_t> TakeStamp(std::string_view& text) {
  std::string_view rest = text;
  if (!TakePrefix(rest, "[")) return std::nullopt;
  rest.remove_prefix(CountSpaces(rest));
  const size_t seconds = CountDigits(rest);
  rest.remove_prefix(seconds);
  if (seconds == 0 || !TakePrefix(rest, ".")) return std::nullopt;
  const size_t decimals = CountDigits(rest);
  rest.remove_prefix(decimals);
  if (decimals == 0 || !TakePrefix(rest, "]")) return std::nullopt;
  text = rest;
  return decimals;
}

// Takes "[    T1]" or "[   C0]": the task or CPU that printed the line (CONFIG_PRINTK_CALLER).
bool TakeCaller(std::string_view& text) {
  constexpr size_t kLongest = 48;  // newer kernels may add the CPU and the task's name
  std::string_view rest = text;
  if (!TakePrefix(rest, "[")) return false;
  rest.remove_prefix(CountSpaces(rest));
  if (!rest.starts_with("T") && !rest.starts_with("C")) return false;
  if (CountDigits(rest.substr(1)) == 0) return false;
  const size_t end = rest.find(']');
  if (end == std::string_view::npos || end > kLongest) return false;
  text = rest.substr(end + 1);
  return true;
}

KernelLine AfterPrefixes(std::string_view text) {
  constexpr size_t kDecimals = 6;  // printk's; other logs have time stamps with other precisions
  bool marked = TakeLevel(text);
  const std::optional<size_t> decimals = TakeStamp(text);
  if (decimals == kDecimals) marked = true;
  std::string_view rest = text;
  TakePrefix(rest, " ");  // some kernels put a space between the two, others do not
  const bool caller = TakeCaller(rest);
  if (caller) text = rest;
  if (caller || decimals.has_value()) TakePrefix(text, " ");
  return {.text = text, .marked = marked || caller};
}

// Matches a part of `format` that has no "%s"; it matches in at most one way. Returns how much of `text` it takes.
std::optional<size_t> TakePiece(std::string_view text, std::string_view piece) {
  size_t at = 0;
  while (!piece.empty()) {
    if (piece.starts_with("%d") || piece.starts_with("%x")) {
      const bool hex = piece[1] == 'x';
      const size_t before = at;
      while (at < text.size() && (hex ? absl::ascii_isxdigit(text[at]) : absl::ascii_isdigit(text[at]))) ++at;
      if (at == before) return std::nullopt;
      piece.remove_prefix(2);
      continue;
    }
    if (at >= text.size() || text[at] != piece[0]) return std::nullopt;
    ++at;
    piece.remove_prefix(1);
  }
  return at;
}

}  // namespace

std::vector<KernelLine> FindKernelLines(std::string_view line, bool whole) {
  constexpr size_t kMost = 8;  // bounds the work on a line full of time stamps
  std::vector<KernelLine> found;
  if (whole) found.push_back(AfterPrefixes(line));
  for (size_t at = line.find('['); at != std::string_view::npos && found.size() < kMost; at = line.find('[', at + 1)) {
    std::string_view rest = line.substr(at);
    if (!TakeStamp(rest).has_value()) continue;
    const KernelLine place = AfterPrefixes(line.substr(at));
    // The stamp may be one of the prefixes of a place that is already known.
    const bool known = !found.empty() && found.back().text.data() >= rest.data();
    if (!known) found.push_back(place);
  }
  return found;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool StartsLike(std::string_view text, std::string_view format) {
  bool anywhere = false;  // after a "%s", the first place where the next piece fits is as good as any other
  while (true) {
    const size_t next = format.find("%s");
    const std::string_view piece = format.substr(0, next);
    std::optional<size_t> taken = TakePiece(text, piece);
    while (!taken.has_value() && anywhere && !text.empty()) {
      text.remove_prefix(1);
      taken = TakePiece(text, piece);
    }
    if (!taken.has_value()) return false;
    if (next == std::string_view::npos) return true;
    text.remove_prefix(*taken);
    format.remove_prefix(next + 2);
    anywhere = true;
  }
}

}  // namespace vmm
