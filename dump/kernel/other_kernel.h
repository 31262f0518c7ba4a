// Finds a second kernel in a dump. A machine that was dumped while its crash kernel ran has two, and the registers of a
// vCPU may belong to the one that did not panic.
#ifndef DUMP_KERNEL_OTHER_KERNEL_H_
#define DUMP_KERNEL_OTHER_KERNEL_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/physical_memory.h"
#include "dump/kernel/kernel_map.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

struct OtherKernel {
  std::string release;    // empty: its VMCOREINFO was not found
  VirtualSegment image;   // does not overlap the image of the reported kernel
  std::vector<int> cpus;  // whose page tables map it, in Linux's order; empty: no CPU runs it
};

// Finds the kernel that shares the RAM with `reported`, by the page tables of `cpus` and by the VMCOREINFO notes in
// RAM, all of which are looked at. A kernel in the guest's own guest is not taken for one: its page tables do not lie
// where its VMCOREINFO says. Never fails.
std::optional<OtherKernel> FindOtherKernel(const PhysicalMemory& memory, std::span<const CpuState> cpus,
                                           const KernelMap& reported);

// A sentence for people: which kernel the dump's registers belong to, and the place of both kernels.
std::string DescribeOtherKernel(const OtherKernel& other, const KernelMap& reported);

}  // namespace vmm

#endif  // DUMP_KERNEL_OTHER_KERNEL_H_
