// RAM in a plain file: a guest's memfd, or a file left by QEMU's memory-backend-file.
#ifndef DUMP_COMPARE_RAW_MEMORY_H_
#define DUMP_COMPARE_RAW_MEMORY_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "base/physical_memory.h"

namespace vmm {

// `file` holds `ranges`, ascending, one after the other, with nothing for the holes between them. `file` must outlive
// the result. InvalidArgument if its size is not the sum of theirs.
absl::StatusOr<std::unique_ptr<PhysicalMemory>> OpenRawMemory(const CoreFile& file, std::span<const GuestRange> ranges);

}  // namespace vmm

#endif  // DUMP_COMPARE_RAW_MEMORY_H_
