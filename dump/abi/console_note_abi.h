// The VMM-CONSOLE note: the console's last lines and the time at which each began (docs/abi/console-note.md). The
// format is ours; flight_note_abi.h says how it may grow.
#ifndef DUMP_ABI_CONSOLE_NOTE_ABI_H_
#define DUMP_ABI_CONSOLE_NOTE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr char kConsoleNoteName[] = "VMM-CONSOLE";  // n_type 0
inline constexpr uint32_t kConsoleNoteVersion = 1;

struct ConsoleNoteHeader {
  uint32_t version;      // kConsoleNoteVersion
  uint32_t header_size;  // of this struct
  uint32_t line_size;    // of ConsoleNoteLine
  uint32_t lines;        // after the header, oldest first
  uint64_t lines_seen;   // in all; `lines` is at most this
};
static_assert(sizeof(ConsoleNoteHeader) == 24);

// The line's text follows, padded with zeros to a multiple of 8 bytes.
struct ConsoleNoteLine {
  uint64_t tsc;        // host TSC when the line's first byte arrived
  uint32_t text_size;  // bytes of it that were kept
  uint32_t line_size;  // bytes that the line had, without the newline
};
static_assert(sizeof(ConsoleNoteLine) == 16);

}  // namespace vmm

#endif  // DUMP_ABI_CONSOLE_NOTE_ABI_H_
