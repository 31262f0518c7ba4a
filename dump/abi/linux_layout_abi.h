// The part of Linux's address space that belongs to its image (arch/x86/include/asm/page_64_types.h).
#ifndef DUMP_ABI_LINUX_LAYOUT_ABI_H_
#define DUMP_ABI_LINUX_LAYOUT_ABI_H_

#include <cstdint>

namespace vmm {

// __START_KERNEL_map. The image lies from here up to kKernelImageEnd. Its physical address is vaddr - kStartKernelMap +
// phys_base.
inline constexpr uint64_t kStartKernelMap = 0xffffffff80000000;

inline constexpr uint64_t kKernelImageSize = 1ull << 30;  // KERNEL_IMAGE_SIZE with RANDOMIZE_BASE
inline constexpr uint64_t kKernelImageEnd = kStartKernelMap + kKernelImageSize;

}  // namespace vmm

#endif  // DUMP_ABI_LINUX_LAYOUT_ABI_H_
