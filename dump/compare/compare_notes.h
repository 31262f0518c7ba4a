// What two dumps say beside memory: registers and notes.
#ifndef DUMP_COMPARE_COMPARE_NOTES_H_
#define DUMP_COMPARE_COMPARE_NOTES_H_

#include <string>
#include <vector>

#include "dump/read/vmcore.h"

namespace vmm {

// Each register that differs, "CPU 1: rip is 0x... and 0x...", and each note that only one has or that
// has other bytes. Registers are compared as far as both files have them: without QEMU notes one has no
// control registers, and that is no difference. At most kMaxListed lines.
inline constexpr size_t kMaxListed = 1000;
std::vector<std::string> CompareNotes(const Vmcore& a, const Vmcore& b);

}  // namespace vmm

#endif  // DUMP_COMPARE_COMPARE_NOTES_H_
