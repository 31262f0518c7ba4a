// The forms that a vmcore can be written in.
#ifndef DUMP_SNAPSHOT_DUMP_FORMAT_H_
#define DUMP_SNAPSHOT_DUMP_FORMAT_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace vmm {

enum class DumpFormat {
  kElf,        // sparse and not compressed: what gdb reads, and the fastest
  kKdumpZlib,  // kdump-compressed: what crash, drgn and makedumpfile read too
  kKdumpZstd,  // the same, smaller and faster; Debian 12's makedumpfile cannot read it
};

// "elf", "kdump-zlib", "kdump-zstd".
std::string_view NameOf(DumpFormat format);
absl::StatusOr<DumpFormat> ParseDumpFormat(std::string_view text);

// What a dump leaves out, in makedumpfile's numbers.
inline constexpr int kLevelAll = 0;        // nothing
inline constexpr int kLevelNoZeros = 1;    // pages of zeros, which are read as zeros all the same
inline constexpr int kLevelFiltered = 31;  // and page cache, user memory and free memory

// One of these three.
absl::StatusOr<int> ParseDumpLevel(std::string_view text);

// What gets a kernel-virtual address besides RAM's direct map.
enum class CoreMappings {
  kNeeded,  // the image and the vCPUs' stacks: every reader is content
  kAll,     // vmalloc and modules too, for gdb alone: hundreds of program headers, on which some readers choke
};

}  // namespace vmm

#endif  // DUMP_SNAPSHOT_DUMP_FORMAT_H_
