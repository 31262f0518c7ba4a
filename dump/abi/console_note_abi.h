// The VMM-CONSOLE note: the console's last lines, and when each began (docs/abi/console-note.md).
// Ours; how it grows: flight_note_abi.h.
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
  uint32_t lines;        // behind the header, oldest first
  uint64_t lines_seen;   // in all; lines is at most this
};
static_assert(sizeof(ConsoleNoteHeader) == 24);

// Its text follows it, and zeros up to a multiple of 8 bytes.
struct ConsoleNoteLine {
  uint64_t tsc;        // host TSC when its first byte came
  uint32_t text_size;  // bytes kept, without the newline
  uint32_t line_size;  // bytes there were
};
static_assert(sizeof(ConsoleNoteLine) == 16);

}  // namespace vmm

#endif  // DUMP_ABI_CONSOLE_NOTE_ABI_H_
