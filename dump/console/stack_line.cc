#include "dump/console/stack_line.h"

#include <charconv>

#include "absl/strings/ascii.h"
#include "dump/console/line_format.h"

namespace vmm {
namespace {

constexpr size_t kMaxName = 256;

void SkipBlanks(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

uint64_t TakeHex(std::string_view& text, std::string_view prefix) {
  if (!SkipPrefix(text, prefix)) return 0;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

// "fs/file.c:12": a path with a line number. Returns its length, 0 if it is none.
size_t PlaceLength(std::string_view text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  const size_t colon = word.find(':');
  if (colon == std::string_view::npos || colon + 1 >= word.size() || !absl::ascii_isdigit(word[colon + 1])) return 0;
  const std::string_view path = word.substr(0, colon);
  for (const std::string_view suffix : {".c", ".h", ".S", ".rs", ".cc", ".s"}) {
    if (path.ends_with(suffix)) return end;
  }
  return 0;
}

// The function at the front of `text`, with what may follow it.
std::optional<ConsoleFrame> ReadFunction(std::string_view text) {
  ConsoleFrame frame;
  std::string_view rest = text;
  const std::string_view name = TakeFunction(rest, /*offset=*/false);
  if (name.empty() || name.size() > kMaxName) return std::nullopt;
  std::string_view offsets(name.data() + name.size(), static_cast<size_t>(rest.data() - name.data()) - name.size());
  const bool has_offset = !offsets.empty();
  frame.function = name;
  frame.offset = TakeHex(offsets, "+0x");
  frame.size = TakeHex(offsets, "/0x");
  if (has_offset && frame.size == 0) return std::nullopt;
  if (rest.starts_with("()")) rest.remove_prefix(2);
  if (!rest.empty() && rest[0] != ' ' && rest[0] != ')' && rest[0] != '\t' && rest[0] != ',') return std::nullopt;
  SkipBlanks(rest);
  if (const size_t place = PlaceLength(rest); place != 0) {
    rest.remove_prefix(place);
    SkipBlanks(rest);
  } else if (!has_offset) {
    return std::nullopt;
  }
  if (rest.starts_with("[inline]")) {
    frame.inlined = true;
  } else if (rest.starts_with('[')) {
    const size_t end = rest.find_first_of(" ]", 1);
    if (end != std::string_view::npos && end - 1 <= kMaxName) frame.module = rest.substr(1, end - 1);
  }
  return frame;
}

}  // namespace

std::optional<ConsoleFrame> ReadStackLine(std::string_view text) {
  SkipBlanks(text);
  if (const size_t from = text.find(" from ["); from != std::string_view::npos && text[0] != 'f') {
    // arm: "[<c0010000>] (f) from [<c0020000>] (g+0x1/0x2)": the frame is g's call
    const size_t open = text.find('(', from);
    if (open == std::string_view::npos) return std::nullopt;
    return ReadFunction(text.substr(open + 1));
  }
  if (text.starts_with("([<")) text.remove_prefix(1);
  while (text.starts_with("[<")) {
    const size_t end = text.substr(0, 40).find(">]");
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 2);
    SkipBlanks(text);
  }
  bool guess = false;
  if (text.starts_with("? ")) {
    guess = true;
    text.remove_prefix(2);
    SkipBlanks(text);
  }
  std::optional<ConsoleFrame> frame = ReadFunction(text);
  if (frame.has_value()) frame->guess = guess;
  return frame;
}

std::optional<ConsoleFrame> ReadRegisterLine(std::string_view text, bool* again) {
  *again = false;
  SkipBlanks(text);
  bool named = false;
  if (SkipPrefix(text, "RIP: ") || SkipPrefix(text, "EIP: ") || SkipPrefix(text, "IP: ")) {
    named = true;
    if (text.size() > 5 && text[4] == ':') {
      const std::string_view selector = text.substr(0, 4);
      // The kernel's code segment, also Xen's and that of 32 bits.
      if (selector != "0010" && selector != "e030" && selector != "0060" && selector != "e033") return std::nullopt;
      text.remove_prefix(5);
    } else {
      *again = text.find("RSP: ") != std::string_view::npos;
    }
  } else if (SkipPrefix(text, "RIP ")) {
    *again = true;
    named = true;
    SkipBlanks(text);
    if (!text.starts_with('[')) return std::nullopt;
  } else if (SkipPrefix(text, "EIP is at ") || SkipPrefix(text, "PC is at ") || SkipPrefix(text, "pc : ") ||
             SkipPrefix(text, "epc : ")) {
    named = true;
  }
  if (!named) return std::nullopt;
  SkipBlanks(text);
  while (text.starts_with("[<")) {
    const size_t end = text.substr(0, 40).find(">]");
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 2);
    SkipBlanks(text);
  }
  std::optional<ConsoleFrame> frame = ReadFunction(text);
  if (frame.has_value()) frame->interrupted = true;
  return frame;
}

}  // namespace vmm
