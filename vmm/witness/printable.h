// Makes a guest's output safe to show: it goes into records, and to the terminal of whoever started vmm.
#ifndef VMM_WITNESS_PRINTABLE_H_
#define VMM_WITNESS_PRINTABLE_H_

#include <string>
#include <string_view>

namespace vmm {

// The treatment of a terminal's control sequences ("ESC [ 1 m"). Dropping one drops its letters too, and a task may
// have a name that turns letters of the kernel's own words into part of a sequence.
enum class ControlSequences { kDrop, kKeepLetters };

// Returns `bytes` without control characters (C0, DEL, C1), as valid UTF-8. A byte that is part of no character becomes
// the text "\xff".
std::string Printable(std::string_view bytes, ControlSequences sequences);

// Returns at most `size` bytes of `text`, cut between two characters. REQUIRES: `text` is valid UTF-8.
std::string CutText(std::string text, size_t size);

}  // namespace vmm

#endif  // VMM_WITNESS_PRINTABLE_H_
