// Compares two dumps apart from their memory: registers and notes.
#ifndef DUMP_COMPARE_COMPARE_NOTES_H_
#define DUMP_COMPARE_COMPARE_NOTES_H_

#include <string>
#include <vector>

#include "dump/read/vmcore.h"

namespace vmm {

// A line for each register that differs, "CPU 1: rip is 0x... and 0x...", and for each note that only one dump has or
// whose bytes differ. Registers are compared only as far as both files have them: without QEMU notes a file has no
// control registers, and that is no difference. At most kMaxListed lines.
inline constexpr size_t kMaxListed = 1000;
std::vector<std::string> CompareNotes(const Vmcore& a, const Vmcore& b);

}  // namespace vmm

#endif  // DUMP_COMPARE_COMPARE_NOTES_H_
