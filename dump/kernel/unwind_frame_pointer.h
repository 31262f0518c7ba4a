// One step up the stack by the chain of frame pointers.
#ifndef DUMP_KERNEL_UNWIND_FRAME_POINTER_H_
#define DUMP_KERNEL_UNWIND_FRAME_POINTER_H_

#include <vector>

#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/stack_frame.h"

namespace vmm {

// As StepByOrc(). Entry code marks saved registers: RBP points to them, plus 1 (ENCODE_FRAME_POINTER,
// arch/x86/include/asm/frame.h).
UnwindStep StepByFramePointer(const KernelMemory& memory, const std::vector<CodeRegion>& code, UnwindState& state,
                              Backtrace& backtrace);

}  // namespace vmm

#endif  // DUMP_KERNEL_UNWIND_FRAME_POINTER_H_
