// One step up the stack by the ORC tables.
#ifndef DUMP_KERNEL_UNWIND_ORC_H_
#define DUMP_KERNEL_UNWIND_ORC_H_

#include <vector>

#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/stack_frame.h"

namespace vmm {

// Moves `state` to its caller and adds the caller to `backtrace`, or sets backtrace.end (and user).
UnwindStep StepByOrc(const KernelMemory& memory, const std::vector<CodeRegion>& code, UnwindState& state,
                     Backtrace& backtrace);

}  // namespace vmm

#endif  // DUMP_KERNEL_UNWIND_ORC_H_
