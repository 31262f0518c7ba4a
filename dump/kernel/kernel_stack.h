// Finds the kernel stacks that vCPUs are running on.
#ifndef DUMP_KERNEL_KERNEL_STACK_H_
#define DUMP_KERNEL_KERNEL_STACK_H_

#include <span>
#include <vector>

#include "base/physical_memory.h"
#include "dump/kernel/kernel_map.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// THREAD_SIZE of arch/x86/include/asm/page_64_types.h, in bytes; KASAN doubles it.
inline constexpr uint64_t kThreadSize = 16 << 10;
inline constexpr uint64_t kMaxThreadSize = 2 * kThreadSize;

// Looks at each started vCPU whose RSP lies in kernel space, outside `map`'s image and direct map (stacks are
// vmalloc'ed, CONFIG_VMAP_STACK; interrupt stacks too). Takes the mapped pages around RSP up to the guard pages on
// either side, at most kMaxThreadSize down and up. Returns one segment for each run that is also contiguous in physical
// memory. No page appears twice.
std::vector<VirtualSegment> FindKernelStacks(const PhysicalMemory& memory, const KernelMap& map,
                                             std::span<const CpuState> cpus);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_STACK_H_
