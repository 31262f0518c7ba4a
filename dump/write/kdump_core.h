// A snapshot as a kdump-compressed file: what dump/elf/core_layout.h and dump/elf/core_check.h are for ELF.
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

// `notes` are those of a PT_NOTE, as they stand in an ELF core of the snapshot. `filtered` (may be null)
// is left out, which is level 31.
absl::StatusOr<KdumpLayout> PlanKdumpCore(const VmSnapshot& snapshot, const FoundKernel& kernel, std::string_view notes,
                                          DumpFormat format, int level, const PageBitmap* filtered);

// Reads the file back: its headers and bitmaps are the planned ones, its size is `file_size`, and its first
// and last pages of data are those of `memory`. DataLoss says what differs.
absl::Status CheckKdumpCore(UniqueFd fd, const std::string& path, const KdumpLayout& layout, uint64_t file_size,
                            const PhysicalMemory& memory);

}  // namespace vmm

#endif  // DUMP_WRITE_KDUMP_CORE_H_
