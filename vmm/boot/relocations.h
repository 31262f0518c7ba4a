// Moves a kernel to another virtual address. The kernel's build appends a list of every place that holds an address
// (CONFIG_X86_NEED_RELOCS) to the ELF file in the payload.
//
// The list consists of 32-bit words and is read backwards from the end (arch/x86/tools/relocs.c writes it,
// handle_relocations() in arch/x86/boot/compressed/misc.c reads it):
//   places of 32-bit addresses, 0, [places of inverse 32-bit ones, 0,] places of 64-bit ones, 0
// A place is the low half of its link-time virtual address. The inverse list holds per-CPU symbols that are addressed
// relative to the image, so the shift is subtracted there. Kernels since 6.15 no longer have it.
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

// True if bytes follow the end of the ELF file. REQUIRES: kernel was read from `file`.
inline bool HasRelocations(const ElfKernel& kernel, uint64_t file_size) { return kernel.end < file_size; }

// Adds `shift` to every address in `file`, a payload decoded whole. InvalidArgument if the list is malformed or a place
// is outside every PT_LOAD's file bytes. After an error the content of `file` is unspecified.
// REQUIRES: `kernel` was parsed from `file`, HasRelocations().
absl::StatusOr<RelocationCounts> ApplyRelocations(std::span<uint8_t> file, const ElfKernel& kernel, uint64_t shift);

}  // namespace vmm

#endif  // VMM_BOOT_RELOCATIONS_H_
