// All that a kernel has mapped besides its image and the direct map: vmalloc, modules, struct pages,
// per-CPU entry areas. For debuggers that know no page tables, gdb before all.
#ifndef DUMP_KERNEL_KERNEL_MAPPINGS_H_
#define DUMP_KERNEL_KERNEL_MAPPINGS_H_

#include <span>
#include <vector>

#include "base/physical_memory.h"
#include "dump/kernel/kernel_map.h"

namespace vmm {

// Of a guest whose pages are scattered, each is a run of its own. More are left out, so that a core stays
// below 65535 program headers, which not every reader can count.
inline constexpr size_t kMaxMappings = 60000;

// Runs of mapped pages in the kernel's half of `map`'s page tables that are backed by RAM and contiguous in
// physical memory too, by ascending virtual address, at most kMaxMappings. Left out: the image and the direct
// map, what `known` (ascending, as FindKernelStacks gives it) covers, espfix (one page of stack, mapped 65536 times),
// and pages that are not RAM. A table that is mapped many times, as KASAN's shadow is, counts once.
std::vector<VirtualSegment> FindKernelMappings(const PhysicalMemory& memory, const KernelMap& map,
                                               std::span<const VirtualSegment> known);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_MAPPINGS_H_
