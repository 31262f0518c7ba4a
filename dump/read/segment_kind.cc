#include "dump/read/segment_kind.h"

#include "dump/elf/core_layout.h"
#include "dump/kernel/kernel_map.h"

namespace vmm {

SegmentKind KindOf(const Elf64_Phdr& phdr, std::optional<uint64_t> page_offset, int levels) {
  if (phdr.p_type == PT_NOTE) return SegmentKind::kNotes;
  if (phdr.p_type != PT_LOAD) return SegmentKind::kOtherType;
  const uint64_t user_end = levels == 5 ? 1ull << 56 : 1ull << 47;
  if (phdr.p_vaddr >= -user_end) {
    if (page_offset.has_value() && phdr.p_vaddr == *page_offset + phdr.p_paddr) return SegmentKind::kDirectMap;
    return phdr.p_vaddr >= kStartKernelMap && phdr.p_vaddr < kKernelImageEnd ? SegmentKind::kImage
                                                                             : SegmentKind::kKernel;
  }
  if (phdr.p_vaddr >= user_end) {
    return phdr.p_vaddr == (kNonCanonicalBase | phdr.p_paddr) ? SegmentKind::kUnknown : SegmentKind::kNonCanonical;
  }
  if (phdr.p_vaddr == 0) return SegmentKind::kZero;
  return phdr.p_vaddr == phdr.p_paddr ? SegmentKind::kPhysical : SegmentKind::kUser;
}

std::string_view NameOf(SegmentKind kind) {
  switch (kind) {
    case SegmentKind::kNotes: return "notes";
    case SegmentKind::kOtherType: return "of another type";
    case SegmentKind::kImage: return "kernel image";
    case SegmentKind::kDirectMap: return "RAM, direct map";
    case SegmentKind::kKernel: return "kernel space";
    case SegmentKind::kUnknown: return "RAM, no virtual address known";
    case SegmentKind::kNonCanonical: return "no canonical address";
    case SegmentKind::kPhysical: return "RAM, p_vaddr is p_paddr";
    case SegmentKind::kZero: return "RAM, p_vaddr is 0";
    case SegmentKind::kUser: return "user space";
  }
  return "unknown";
}

}  // namespace vmm
