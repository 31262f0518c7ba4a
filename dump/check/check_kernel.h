// The rules that need the kernel itself: its page tables, its data and the program headers must agree.
#ifndef DUMP_CHECK_CHECK_KERNEL_H_
#define DUMP_CHECK_CHECK_KERNEL_H_

#include <vector>

#include "dump/check/finding.h"
#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"

namespace vmm {

// `kernel` is KernelOf(core). Reads at most the image of kernel.map.
std::vector<Finding> CheckKernel(const Vmcore& core, const FoundKernel& kernel);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_KERNEL_H_
