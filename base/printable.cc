#include "base/printable.h"

#include <algorithm>
#include <cstdint>

namespace vmm {
namespace {

uint8_t ByteAt(std::string_view text, size_t at) { return at < text.size() ? static_cast<uint8_t>(text[at]) : 0; }

// Returns the length of the sequence at the start of `text`: ESC [, parameters, intermediate bytes, one letter. 0:
// none.
size_t SequenceLength(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  size_t at = 2;
  while (ByteAt(text, at) >= 0x30 && ByteAt(text, at) <= 0x3f) ++at;
  while (ByteAt(text, at) >= 0x20 && ByteAt(text, at) <= 0x2f) ++at;
  return ByteAt(text, at) >= 0x40 && ByteAt(text, at) <= 0x7e ? at + 1 : at;
}

// Returns the length in bytes of the character at the start of `text` (RFC 3629, table 3-7 of Unicode). 0: none.
size_t CharacterLength(std::string_view text) {
  const uint8_t first = ByteAt(text, 0), second = ByteAt(text, 1);
  const auto follows = [&](size_t at) { return (ByteAt(text, at) & 0xc0) == 0x80; };
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool too_large = first == 0xf4 && second >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

void AppendEscaped(uint8_t byte, std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  text += "\\x";
  text += kDigits[byte >> 4];
  text += kDigits[byte & 15];
}

// Returns the length of the start of `text` that needs no change.
size_t PlainLength(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, IsPrintable);
  return static_cast<size_t>(end - text.begin());
}

bool IsControl(std::string_view character) {
  const uint8_t first = ByteAt(character, 0);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && ByteAt(character, 1) < 0xa0;  // U+0080 to U+009F
}

// Marks, embeddings, overrides and isolates of the writing direction (Unicode UAX 9), and the two separators.
bool IsDirectionOrSeparator(std::string_view character) {
  if (character == "\xd8\x9c") return true;  // U+061C
  if (character.size() != 3 || !character.starts_with("\xe2")) return false;
  const uint8_t second = ByteAt(character, 1), third = ByteAt(character, 2);
  if (second == 0x80) return third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae);  // U+200E, U+2028
  return second == 0x81 && third >= 0xa6 && third <= 0xa9;                                        // U+2066 to U+2069
}

}  // namespace

size_t PrintableLength(std::string_view text) {
  const size_t length = CharacterLength(text);
  const std::string_view character = text.substr(0, length);
  return length == 0 || IsControl(character) || IsDirectionOrSeparator(character) ? 0 : length;
}

std::string Escaped(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    size_t length = PrintableLength(text);
    if (length == 0 && kept.find(text[0]) != std::string_view::npos) length = 1;
    if (length == 0) {
      AppendEscaped(ByteAt(text, 0), out);
      length = 1;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string Printable(std::string_view bytes, ControlSequences sequences) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    if (const size_t plain = PlainLength(bytes); plain > 0) {
      text += bytes.substr(0, plain);
      bytes.remove_prefix(plain);
      continue;
    }
    size_t length = sequences == ControlSequences::kDrop ? SequenceLength(bytes) : 0;
    if (length == 0) {
      length = std::max<size_t>(CharacterLength(bytes), 1);
      const std::string_view character = bytes.substr(0, length);
      if (CharacterLength(bytes) == 0 || !IsControl(character)) text += Escaped(character);
    }
    bytes.remove_prefix(std::min(length, bytes.size()));
  }
  return text;
}

std::string CutText(std::string text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<uint8_t>(text[size]) & 0xc0) == 0x80) --size;
  text.resize(size);
  return text;
}

}  // namespace vmm
