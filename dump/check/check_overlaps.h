// The rule that each physical byte has one value in all segments of a core that hold it.
#ifndef DUMP_CHECK_CHECK_OVERLAPS_H_
#define DUMP_CHECK_CHECK_OVERLAPS_H_

#include <vector>

#include "base/core_file.h"
#include "dump/check/finding.h"
#include "dump/file/byte_source.h"
#include "dump/read/vmcore_contents.h"

namespace vmm {

// Reads the bytes that the file has twice, at most kMaxComparedBytes of them.
inline constexpr uint64_t kMaxComparedBytes = 1ull << 30;
std::vector<Finding> CheckOverlaps(const ByteSource& file, const ElfHeaders& elf);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_OVERLAPS_H_
