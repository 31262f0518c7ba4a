// Reads a dump that is an ELF core: ours, QEMU's, cloud-hypervisor's, or a copy of /proc/vmcore.
#ifndef DUMP_READ_READ_ELF_H_
#define DUMP_READ_READ_ELF_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "dump/file/byte_source.h"
#include "dump/read/vmcore_contents.h"

namespace vmm {

// The most seen in one file is 65,835, written by QEMU.
inline constexpr uint64_t kMaxProgramHeaders = 1 << 20;

// RAM is the union of all PT_LOADs by p_paddr. A PT_LOAD with p_paddr ~0, as in /proc/kcore, has no physical address
// and is not RAM. Physical addresses go up to 2^52. `path` is for messages. InvalidArgument, with the reason, if the
// file is no x86_64 ELF core or has no readable program headers. A fault in a single program header or in the notes
// goes into the contents' `faults`. CutShortError() if the file ends before its program headers do.
absl::StatusOr<VmcoreContents> ReadElf(std::shared_ptr<const ByteSource> source, const std::string& path);

}  // namespace vmm

#endif  // DUMP_READ_READ_ELF_H_
