// Who called whom: the frames on a kernel stack, found without debug symbols.
//
// By the ORC tables where the kernel has them, as its own unwinder does (arch/x86/kernel/unwind_orc.c);
// where it has none, by the chain of frame pointers (CONFIG_UNWINDER_FRAME_POINTER). Where ORC breaks off it goes on
// from the next word up the stack from which it leads to the stack's end; that word alone is marked as a guess. Where
// there is none, and without ORC, every word further up that could be a return address is told, each marked as a guess.
#ifndef DUMP_KERNEL_BACKTRACE_H_
#define DUMP_KERNEL_BACKTRACE_H_

#include <vector>

#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/stack_frame.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The frames of a vCPU. One in user mode has none. Never fails: what was found until something
// could not be read or made no sense is returned.
Backtrace Unwind(const KernelMemory& memory, const std::vector<CodeRegion>& code, const CpuState& cpu);

}  // namespace vmm

#endif  // DUMP_KERNEL_BACKTRACE_H_
