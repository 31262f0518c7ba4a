// Finds everything that a kernel maps besides its image and the direct map: vmalloc, modules, struct pages, per-CPU
// entry areas. It is for debuggers that do not know page tables, above all gdb.
#ifndef DUMP_KERNEL_KERNEL_MAPPINGS_H_
#define DUMP_KERNEL_KERNEL_MAPPINGS_H_

#include <span>
#include <vector>

#include "base/physical_memory.h"
#include "dump/kernel/kernel_map.h"

namespace vmm {

// If a guest's pages are scattered, each page is a run of its own. Runs beyond this number are left out, so that a core
// stays below 65535 program headers: not every reader can count more.
inline constexpr size_t kMaxMappings = 60000;

// Returns the runs of mapped pages in the kernel's half of `map`'s page tables that are backed by RAM and also
// contiguous in physical memory. Ascending by virtual address, at most kMaxMappings. Left out are the image, the direct
// map, everything that `known` covers (ascending, as FindKernelStacks returns it), espfix (one page of stack, mapped
// 65536 times), and pages that are not RAM. A table that is mapped many times, like KASAN's shadow, counts once.
std::vector<VirtualSegment> FindKernelMappings(const PhysicalMemory& memory, const KernelMap& map,
                                               std::span<const VirtualSegment> known);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_MAPPINGS_H_
