// RAM in a plain file: a guest's memfd, or what QEMU's memory-backend-file leaves.
#ifndef DUMP_COMPARE_RAW_MEMORY_H_
#define DUMP_COMPARE_RAW_MEMORY_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "base/physical_memory.h"

namespace vmm {

// `ranges`, ascending, lie in `file` one behind the other, with nothing for the holes between them.
// `file` must outlive the result. InvalidArgument where it has not as many bytes as they.
absl::StatusOr<std::unique_ptr<PhysicalMemory>> OpenRawMemory(const CoreFile& file, std::span<const GuestRange> ranges);

}  // namespace vmm

#endif  // DUMP_COMPARE_RAW_MEMORY_H_
