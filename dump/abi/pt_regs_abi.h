// struct pt_regs of Linux on x86-64 (arch/x86/include/asm/ptrace.h): the registers as the entry code lays them on the
// stack. The CPU itself pushes the last five words (Intel SDM vol. 3, section 6.14.2).
#ifndef DUMP_ABI_PT_REGS_ABI_H_
#define DUMP_ABI_PT_REGS_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

struct PtRegs {
  uint64_t r15, r14, r13, r12, bp, bx;
  uint64_t r11, r10, r9, r8, ax, cx, dx, si, di;
  uint64_t orig_ax;
  uint64_t ip, cs, flags, sp, ss;
};
static_assert(sizeof(PtRegs) == 168);
static_assert(offsetof(PtRegs, orig_ax) == 120 && offsetof(PtRegs, ip) == 128 && offsetof(PtRegs, sp) == 152);

}  // namespace vmm

#endif  // DUMP_ABI_PT_REGS_ABI_H_
