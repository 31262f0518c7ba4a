// The ELF core of a dump: ours, QEMU's, cloud-hypervisor's, a copy of /proc/vmcore.
#ifndef DUMP_READ_READ_ELF_H_
#define DUMP_READ_READ_ELF_H_

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "dump/read/vmcore_contents.h"

namespace vmm {

// QEMU makes 65,835 at the most that were seen.
inline constexpr uint64_t kMaxProgramHeaders = 1 << 20;

// RAM is the union of all PT_LOADs by p_paddr; those without one (~0, as in /proc/kcore) are none.
// Physical addresses reach to 2^52. `file` must outlive the result. InvalidArgument, with what is
// wrong, where it is no x86_64 ELF core or has no program headers that can be read; what is wrong
// in a single one of them or in the notes is a fault of the contents.
absl::StatusOr<VmcoreContents> ReadElf(const CoreFile& file);

}  // namespace vmm

#endif  // DUMP_READ_READ_ELF_H_
