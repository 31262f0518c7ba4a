// Makes text of what a guest printed: it goes into records, and to the terminal of whoever started vmm.
#ifndef VMM_WITNESS_PRINTABLE_H_
#define VMM_WITNESS_PRINTABLE_H_

#include <string>
#include <string_view>

namespace vmm {

// What becomes of a terminal's control sequences ("ESC [ 1 m"). To drop one takes the letters with it, and a task may
// be named so that the kernel's own words are those letters.
enum class ControlSequences { kDrop, kKeepLetters };

// `bytes` without control characters (C0, DEL, C1). The result is valid UTF-8: a byte that is part of no character
// stands as "\xff" in it.
std::string Printable(std::string_view bytes, ControlSequences sequences);

// At most `size` bytes of `text`, cut between two characters. REQUIRES: `text` is valid UTF-8.
std::string CutText(std::string text, size_t size);

}  // namespace vmm

#endif  // VMM_WITNESS_PRINTABLE_H_
