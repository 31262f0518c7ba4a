// Decides which characters may be shown. Text of a guest or a file goes into records, and to the terminals and logs of
// people. It must not move a cursor there, hide a line, or pass for a line of our own.
#ifndef BASE_PRINTABLE_H_
#define BASE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace vmm {

// Returns the length in bytes of the character at the start of `text` if it may be shown as it is. 0 for anything else:
// a control character (C0 with newline and tab, DEL, C1), a control of the writing direction (the letters after it
// would show in another order), a line or paragraph separator, and a byte that is part of no UTF-8 character.
size_t PrintableLength(std::string_view text);

// True for a byte that may be shown as it is in ASCII.
inline bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

// Returns `text` with \xNN for each byte of what may not be shown, except the bytes in `kept`.
std::string Escaped(std::string_view text, std::string_view kept = "");

// The treatment of a terminal's control sequences ("ESC [ 1 m"). Dropping one drops its letters too, and a task may
// have a name that turns letters of the kernel's own words into part of a sequence.
enum class ControlSequences { kDrop, kKeepLetters };

// Returns `bytes` without control characters (C0, DEL, C1), as valid UTF-8. Anything else that may not be shown is
// written as Escaped() does.
std::string Printable(std::string_view bytes, ControlSequences sequences);

// Returns at most `size` bytes of `text`, cut between two characters. REQUIRES: `text` is valid UTF-8.
std::string CutText(std::string text, size_t size);

}  // namespace vmm

#endif  // BASE_PRINTABLE_H_
