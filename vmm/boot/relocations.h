// Moving a kernel to another virtual address: its build leaves, behind the ELF file in the
// payload, the list of every place that holds an address (CONFIG_X86_NEED_RELOCS).
//
// Read as 32-bit words from the end backwards (arch/x86/tools/relocs.c writes them,
// handle_relocations() in arch/x86/boot/compressed/misc.c reads them):
//   places of 32-bit addresses, 0, [places of inverse 32-bit ones, 0,] places of 64-bit ones, 0
// A place is the low half of its link-time virtual address. The inverse list (per-CPU symbols
// that are addressed relative to the image: subtract) is gone from kernels since 6.15.
#ifndef VMM_BOOT_RELOCATIONS_H_
#define VMM_BOOT_RELOCATIONS_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "vmm/boot/elf_kernel.h"

namespace vmm {

struct RelocationCounts {
  uint64_t abs32 = 0;
  uint64_t inverse32 = 0;
  uint64_t abs64 = 0;
};

// True iff something lies behind the ELF file's own end. REQUIRES: kernel was read from `file`.
inline bool HasRelocations(const ElfKernel& kernel, uint64_t file_size) { return kernel.end < file_size; }

// Adds `shift` to every address in `file`, a payload decoded whole. A list out of shape or a
// place outside every PT_LOAD's file bytes is InvalidArgument; `file` is unspecified then.
// REQUIRES: `kernel` was parsed from `file`, HasRelocations().
absl::StatusOr<RelocationCounts> ApplyRelocations(std::span<uint8_t> file, const ElfKernel& kernel, uint64_t shift);

}  // namespace vmm

#endif  // VMM_BOOT_RELOCATIONS_H_
