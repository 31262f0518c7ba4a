#include "dump/console/line_format.h"

#include "absl/strings/ascii.h"

namespace vmm {
namespace {

bool IsNameByte(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '$'; }

size_t CountHex(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && absl::ascii_isxdigit(text[count])) ++count;
  return count;
}

// "+0x12/0x34" or "+0x12": how many bytes, 0 if it is not there.
size_t OffsetLength(std::string_view text) {
  if (!text.starts_with("+0x")) return 0;
  size_t at = 3;
  const size_t offset = CountHex(text.substr(at));
  if (offset == 0) return 0;
  at += offset;
  if (text.substr(at).starts_with("/0x")) {
    const size_t size = CountHex(text.substr(at + 3));
    if (size != 0) at += 3 + size;
  }
  return at;
}

// Matches a piece without %s at the front of `text` and moves past it.
bool TakePiece(std::string_view& text, std::string_view piece, LineParts& parts) {
  std::string_view rest = text;
  const size_t before = parts.size();
  while (!piece.empty()) {
    bool fits = true;
    if (piece.starts_with("%d") || piece.starts_with("%x")) {
      const bool hex = piece[1] == 'x';
      size_t count = 0;
      while (count < rest.size() && (hex ? absl::ascii_isxdigit(rest[count]) : absl::ascii_isdigit(rest[count]))) {
        ++count;
      }
      fits = count > 0;
      rest.remove_prefix(count);
      piece.remove_prefix(2);
    } else if (piece.starts_with("%f") || piece.starts_with("%o")) {
      const std::string_view function = TakeFunction(rest, piece[1] == 'o');
      fits = !function.empty();
      parts.push_back(function);
      piece.remove_prefix(2);
    } else {
      fits = !rest.empty() && rest[0] == piece[0];
      if (fits) rest.remove_prefix(1);
      piece.remove_prefix(1);
    }
    if (fits) continue;
    parts.resize(before);
    return false;
  }
  text = rest;
  return true;
}

}  // namespace

bool SkipPrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view TakeFunction(std::string_view& text, bool offset) {
  std::string_view rest = text;
  while (rest.starts_with("[<")) {
    const size_t end = rest.substr(0, 40).find(">]");
    if (end == std::string_view::npos) return "";
    rest.remove_prefix(end + 2);
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  size_t length = 0;
  while (length < rest.size() && IsNameByte(rest[length])) ++length;
  const std::string_view name = rest.substr(0, length);
  if (name.empty() || absl::ascii_isdigit(name[0])) return "";
  rest.remove_prefix(length);
  const size_t after = OffsetLength(rest);
  if (offset && after == 0) return "";
  rest.remove_prefix(after);
  text = rest;
  return name;
}

std::optional<LineParts> MatchLine(std::string_view text, std::string_view format) {
  LineParts parts;
  size_t next = format.find("%s");
  if (!TakePiece(text, format.substr(0, next), parts)) return std::nullopt;
  while (next != std::string_view::npos) {
    format.remove_prefix(next + 2);
    next = format.find("%s");
    const std::string_view piece = format.substr(0, next);
    const size_t slot = parts.size();
    parts.emplace_back();
    if (piece.empty() && next == std::string_view::npos) {
      parts[slot] = text;
      return parts;
    }
    size_t at = 0;  // where the piece is tried
    std::string_view rest = text;
    while (!TakePiece(rest, piece, parts)) {
      if (rest.empty()) return std::nullopt;
      rest = text.substr(++at);
    }
    parts[slot] = text.substr(0, at);
    text = rest;
  }
  return parts;
}

}  // namespace vmm
