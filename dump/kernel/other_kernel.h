// A second kernel in a dump: a machine that was dumped while its crash kernel ran has two, and the
// registers of a vCPU may be those of the one that did not panic.
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
  VirtualSegment image;   // apart from the image of the kernel that is reported
  std::vector<int> cpus;  // on whose page tables it is, in Linux's order; empty: no CPU runs it
};

// The kernel that shares the RAM with `reported`, by the page tables of `cpus` and by the VMCOREINFO notes
// in RAM, which are all looked at. Addresses of a guest's own guest are no such kernel: its tables do not
// lie where its VMCOREINFO says. Never fails.
std::optional<OtherKernel> FindOtherKernel(const PhysicalMemory& memory, std::span<const CpuState> cpus,
                                           const KernelMap& reported);

// A sentence for people: whose registers the dump has, and where both kernels are.
std::string DescribeOtherKernel(const OtherKernel& other, const KernelMap& reported);

}  // namespace vmm

#endif  // DUMP_KERNEL_OTHER_KERNEL_H_
