// An ELF64 x86-64 kernel: a plain vmlinux, or the file that a bzImage's payload decodes to.
#ifndef VMM_BOOT_ELF_KERNEL_H_
#define VMM_BOOT_ELF_KERNEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "vmm/boot/elf_segment.h"

namespace vmm {

// The program headers must end within this many bytes of the file's beginning.
inline constexpr uint64_t kElfHeadSize = 4096;

struct ElfKernel {
  std::vector<ElfSegment> segments;  // memsz > 0, disjoint in the file and in physical memory
  GuestRange extent;                 // from the lowest p_paddr to the highest end
  uint64_t entry = 0;                // physical, as linked: a virtual e_entry is translated
  uint64_t end = 0;                  // file offset of the end of the last segment or section header
};

// Reads `head`, the first min(file_size, kElfHeadSize) bytes of a file. Each inconsistency is an InvalidArgument that
// names the field, its value and the limit.
absl::StatusOr<ElfKernel> ParseElfKernel(std::span<const uint8_t> head, uint64_t file_size);

// True if `head` begins with the ELF magic.
bool IsElf(std::span<const uint8_t> head);

}  // namespace vmm

#endif  // VMM_BOOT_ELF_KERNEL_H_
