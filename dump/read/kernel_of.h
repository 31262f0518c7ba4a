// Finds the kernel inside a vmcore: its page tables, image and KASLR offset.
#ifndef DUMP_READ_KERNEL_OF_H_
#define DUMP_READ_KERNEL_OF_H_

#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"

namespace vmm {

// Uses the file's own VMCOREINFO note if it passes its checks. Otherwise tries everything that FindKernel tries, which
// reads all data of the file. Never fails: why_not says what is missing.
FoundKernel KernelOf(const Vmcore& core);

// The same without a search of RAM: uses only the note or the vCPUs' page tables.
FoundKernel KernelNamedBy(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_READ_KERNEL_OF_H_
