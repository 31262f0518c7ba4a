// Tells by its addresses what a core's program header is for.
#ifndef DUMP_READ_SEGMENT_KIND_H_
#define DUMP_READ_SEGMENT_KIND_H_

#include <elf.h>

#include <optional>
#include <string_view>

namespace vmm {

enum class SegmentKind {
  kNotes,         // PT_NOTE
  kOtherType,     // neither PT_NOTE nor PT_LOAD
  kImage,         // a kernel text address: kStartKernelMap and up
  kDirectMap,     // p_vaddr is page_offset + p_paddr
  kKernel,        // elsewhere in kernel space: a stack, vmalloc, modules
  kUnknown,       // 2^63 + p_paddr: the writer of the dump knew no virtual address
  kNonCanonical,  // another non-canonical address
  kPhysical,      // p_vaddr is p_paddr, and not 0
  kZero,          // p_vaddr is 0
  kUser,          // another address below kernel space
};

// `page_offset` is the base of the direct map. If it is unknown, a segment of the direct map is kKernel. `levels` is
// the number of page table levels, 4 or 5, and decides which addresses are canonical.
SegmentKind KindOf(const Elf64_Phdr& phdr, std::optional<uint64_t> page_offset, int levels);

// "kernel image", "RAM, direct map"
std::string_view NameOf(SegmentKind kind);

}  // namespace vmm

#endif  // DUMP_READ_SEGMENT_KIND_H_
