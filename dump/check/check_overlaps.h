// The rule that each physical byte has one value, wherever a core's segments have it.
#ifndef DUMP_CHECK_CHECK_OVERLAPS_H_
#define DUMP_CHECK_CHECK_OVERLAPS_H_

#include <vector>

#include "base/core_file.h"
#include "dump/check/finding.h"
#include "dump/read/vmcore_contents.h"

namespace vmm {

// Reads what lies in the file twice, at most kMaxComparedBytes of it.
inline constexpr uint64_t kMaxComparedBytes = 1ull << 30;
std::vector<Finding> CheckOverlaps(const CoreFile& file, const ElfHeaders& elf);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_OVERLAPS_H_
