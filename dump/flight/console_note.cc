#include "dump/flight/console_note.h"

#include "base/guest_addr.h"
#include "dump/flight/note_reader.h"

namespace vmm {
namespace {

constexpr uint64_t kTextAlignment = 8;

absl::Status Bad(size_t line, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrFormat("%s: line %d %s", kConsoleNoteName, line, why));
}

}  // namespace

std::string ConsoleNote::Serialise() const {
  const ConsoleNoteHeader header = {.version = kConsoleNoteVersion,
                                    .header_size = sizeof(ConsoleNoteHeader),
                                    .line_size = sizeof(ConsoleNoteLine),
                                    .lines = static_cast<uint32_t>(lines.size()),
                                    .lines_seen = lines_seen};
  std::string desc(reinterpret_cast<const char*>(&header), sizeof(header));
  for (const ConsoleLine& line : lines) {
    const ConsoleNoteLine head = {
        .tsc = line.tsc, .text_size = static_cast<uint32_t>(line.text.size()), .line_size = line.full_size};
    desc.append(reinterpret_cast<const char*>(&head), sizeof(head)).append(line.text);
    desc.resize(AlignUp(desc.size(), kTextAlignment), '\0');
  }
  return desc;
}

absl::StatusOr<ConsoleNote> ConsoleNote::Parse(std::span<const uint8_t> desc) {
  ASSIGN_OR_RETURN(
      const ConsoleNoteHeader header,
      ReadNoteHeader<ConsoleNoteHeader>(kConsoleNoteName, desc, kConsoleNoteVersion, sizeof(ConsoleNoteLine)));
  if (header.lines > kMaxLines || header.lines > header.lines_seen) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: %d lines, more than %d, or than the %d that there were",
                                                      kConsoleNoteName, header.lines, kMaxLines, header.lines_seen));
  }
  ConsoleNote note{.lines_seen = header.lines_seen};
  std::span<const uint8_t> rest = desc.subspan(header.header_size);
  for (size_t i = 0; i < header.lines; ++i) {
    ConsoleNoteLine head;
    if (rest.size() < header.line_size) return Bad(i, "is cut off");
    std::memcpy(&head, rest.data(), sizeof(head));
    rest = rest.subspan(header.line_size);
    if (head.text_size > kMaxText || head.text_size > rest.size()) return Bad(i, "is longer than there are bytes");
    if (!note.lines.empty() && head.tsc < note.lines.back().tsc) return Bad(i, "is older than the one before");
    const auto* const text = reinterpret_cast<const char*>(rest.data());
    note.lines.push_back({head.tsc, std::string(text, head.text_size), head.line_size});
    rest = rest.subspan(std::min<size_t>(AlignUp(head.text_size, kTextAlignment), rest.size()));
  }
  return note;
}

}  // namespace vmm
