// The loadable segments of an ELF file, and the checks that every kind of kernel in ELF needs.
#ifndef VMM_BOOT_ELF_SEGMENT_H_
#define VMM_BOOT_ELF_SEGMENT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"

namespace vmm {

// A PT_LOAD. The ELF specification's field names, without "p_".
struct ElfSegment {
  uint64_t offset = 0;
  uint64_t vaddr = 0;
  uint64_t paddr = 0;
  uint64_t filesz = 0;
  uint64_t memsz = 0;
};

// The fields of an ELF header, of either class, that say where its program headers are.
struct ElfPhdrTable {
  uint64_t phoff = 0;
  uint16_t phentsize = 0;
  uint16_t phnum = 0;
};

// An error unless `table` has 1 to 64 entries of `entry_size` bytes that lie within the first `head_size` bytes.
absl::Status CheckProgramHeaderTable(const ElfPhdrTable& table, uint64_t entry_size, uint64_t head_size);

// An error unless the segment's file bytes lie in the file and fit into its memory. `index` is of its program header.
absl::Status CheckSegmentInFile(const ElfSegment& segment, int index, uint64_t file_size);

// An error if two segments overlap in physical memory or, if `in_file`, in the file.
absl::Status CheckDisjoint(const std::vector<ElfSegment>& segments, bool in_file);

// A linker may leave the physical or the virtual entry in e_entry. The physical one counts first. Nothing if it lies in
// no segment's file bytes.
std::optional<uint64_t> PhysicalEntry(uint64_t e_entry, const std::vector<ElfSegment>& segments);

}  // namespace vmm

#endif  // VMM_BOOT_ELF_SEGMENT_H_
