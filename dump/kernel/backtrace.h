// Finds the frames on a kernel stack (who called whom) without debug symbols.
//
// The unwinder uses the kernel's ORC tables, as the kernel's own unwinder does (arch/x86/kernel/unwind_orc.c). If there
// are none, it follows the chain of frame pointers (CONFIG_UNWINDER_FRAME_POINTER). If ORC fails, it scans upward for a
// return address from which ORC reaches the stack's end, and marks only that frame as a guess. If no such word exists,
// or without ORC, it returns every word further up that could be a return address, each marked as a guess.
#ifndef DUMP_KERNEL_BACKTRACE_H_
#define DUMP_KERNEL_BACKTRACE_H_

#include <vector>

#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/stack_frame.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// Returns the frames of a vCPU. A vCPU in user mode has none. Never fails: returns the frames found before something
// could not be read or made no sense.
// `meter` (kUnwindBudget) pays, and ends the backtrace when it is spent.
Backtrace Unwind(const KernelMemory& memory, const std::vector<CodeRegion>& code, const CpuState& cpu, Meter& meter);

}  // namespace vmm

#endif  // DUMP_KERNEL_BACKTRACE_H_
