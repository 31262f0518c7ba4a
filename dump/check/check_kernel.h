// The rules that need the kernel itself: do its page tables, its words and the program headers agree?
#ifndef DUMP_CHECK_CHECK_KERNEL_H_
#define DUMP_CHECK_CHECK_KERNEL_H_

#include <vector>

#include "dump/check/finding.h"
#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"

namespace vmm {

// `kernel` is KernelOf(core). Reads at most kernel.map's image.
std::vector<Finding> CheckKernel(const Vmcore& core, const FoundKernel& kernel);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_KERNEL_H_
