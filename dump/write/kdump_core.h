// A snapshot as a kdump-compressed file: the counterpart of dump/elf/core_layout.h and dump/elf/core_check.h.
#ifndef DUMP_WRITE_KDUMP_CORE_H_
#define DUMP_WRITE_KDUMP_CORE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "dump/kdump/kdump_writer.h"
#include "dump/kernel/find_kernel.h"
#include "dump/snapshot/dump_format.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

// `notes` are the bytes of the PT_NOTE that an ELF core of the snapshot would have. The pages in `filtered` (may be
// null) are left out; that is level 31.
absl::StatusOr<KdumpLayout> PlanKdumpCore(const VmSnapshot& snapshot, const FoundKernel& kernel, std::string_view notes,
                                          DumpFormat format, int level, const PageBitmap* filtered);

// Reads the file back. Checks its headers and bitmaps against the plan, its size against `file_size`, and its first and
// last pages of data against `memory`. DataLoss names the difference.
absl::Status CheckKdumpCore(UniqueFd fd, const std::string& path, const KdumpLayout& layout, uint64_t file_size,
                            const PhysicalMemory& memory);

}  // namespace vmm

#endif  // DUMP_WRITE_KDUMP_CORE_H_
