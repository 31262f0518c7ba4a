#include "vmm/live/print_memory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <span>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint64_t kMaxBytes = 64 << 10;

struct Format {
  uint64_t count = 1;
  int size = 4;  // bytes of one number
};

std::optional<Format> ParseFormat(std::string_view text) {
  Format format;
  if (text.starts_with('/')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format.count);
  if (error == std::errc::result_out_of_range) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  for (const char letter : text) {
    switch (letter) {
      case 'x': break;
      case 'b': format.size = 1; break;
      case 'h': format.size = 2; break;
      case 'w': format.size = 4; break;
      case 'g': format.size = 8; break;
      default: return std::nullopt;
    }
  }
  if (format.count > kMaxBytes / static_cast<uint64_t>(format.size)) return std::nullopt;
  return format;
}

using Reader = std::function<absl::Status(uint64_t addr, std::span<uint8_t> out)>;

std::string Print(const std::vector<std::string>& words, const Reader& read) {
  const bool has_format = words.size() == 3;
  const std::optional<Format> format = ParseFormat(has_format ? words[1] : "");
  const std::optional<uint64_t> start =
      words.size() == 2 || has_format ? ParseMonitorNumber(words.back()) : std::nullopt;
  if (!format.has_value() || !start.has_value()) return "usage: x or xp /COUNTxSIZE ADDRESS, SIZE b, h, w or g\r\n";
  const int per_line = format->size == 1 ? 8 : 16 / format->size;
  std::string text;
  uint64_t addr = *start;
  for (uint64_t i = 0; i < format->count; ++i, addr += static_cast<uint64_t>(format->size)) {
    std::array<uint8_t, 8> bytes = {};
    if (!read(addr, std::span(bytes).first(static_cast<size_t>(format->size))).ok()) {
      if (i % static_cast<uint64_t>(per_line) != 0) text += "\r\n";
      return text + absl::StrFormat("%016x: Cannot access memory\r\n", addr);
    }
    uint64_t value = 0;
    for (int byte = format->size - 1; byte >= 0; --byte) value = value << 8 | bytes[static_cast<size_t>(byte)];
    if (i % static_cast<uint64_t>(per_line) == 0) absl::StrAppendFormat(&text, "%016x:", addr);
    absl::StrAppendFormat(&text, " 0x%0*x", 2 * format->size, value);
    if ((i + 1) % static_cast<uint64_t>(per_line) == 0 || i + 1 == format->count) text += "\r\n";
  }
  return text;
}

}  // namespace

std::optional<uint64_t> ParseMonitorNumber(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number, hex ? 16 : 10);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

std::string PrintPhysical(const PhysicalMemory& memory, const std::vector<std::string>& words) {
  return Print(words, [&memory](uint64_t addr, std::span<uint8_t> out) { return memory.Read(GuestAddr{addr}, out); });
}

std::string PrintVirtual(const PhysicalMemory& memory, const PageTables& tables,
                         const std::vector<std::string>& words) {
  return Print(words, [&](uint64_t addr, std::span<uint8_t> out) -> absl::Status {
    // A number may cross into another page.
    for (size_t i = 0; i < out.size(); ++i) {
      ASSIGN_OR_RETURN(const GuestAddr phys, tables.Translate(addr + i));
      RETURN_IF_ERROR(memory.Read(phys, out.subspan(i, 1)));
    }
    return absl::OkStatus();
  });
}

}  // namespace vmm
