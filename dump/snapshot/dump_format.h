// The file formats in which a vmcore can be written.
#ifndef DUMP_SNAPSHOT_DUMP_FORMAT_H_
#define DUMP_SNAPSHOT_DUMP_FORMAT_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace vmm {

enum class DumpFormat {
  kElf,        // sparse and not compressed; gdb reads it, and it is the fastest
  kKdumpZlib,  // kdump-compressed; crash, drgn and makedumpfile read it, too
  kKdumpZstd,  // the same, smaller and faster; Debian 12's makedumpfile cannot read it
};

// "elf", "kdump-zlib", "kdump-zstd".
std::string_view NameOf(DumpFormat format);
absl::StatusOr<DumpFormat> ParseDumpFormat(std::string_view text);

// The pages that a dump leaves out, in makedumpfile's numbers.
inline constexpr int kLevelAll = 0;        // nothing
inline constexpr int kLevelNoZeros = 1;    // pages of zeros; they still read as zeros
inline constexpr int kLevelFiltered = 31;  // also page cache, user memory and free memory

// InvalidArgument unless `text` is one of these three.
absl::StatusOr<int> ParseDumpLevel(std::string_view text);

// The memory that gets kernel-virtual addresses, in addition to RAM's direct map.
enum class CoreMappings {
  kNeeded,  // the image and the vCPUs' stacks; enough for every reader
  kAll,     // vmalloc and modules too, for gdb alone; some readers choke on the hundreds of program headers
};

}  // namespace vmm

#endif  // DUMP_SNAPSHOT_DUMP_FORMAT_H_
