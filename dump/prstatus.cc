#include "dump/prstatus.h"

namespace vmm {

ElfPrstatus MakePrstatus(const CpuState& state, int cpu) {
  ElfPrstatus note = {};
  note.pr_pid = cpu + 1;
  if (!state.started) return note;
  note.pr_reg = UserRegs{
      .r15 = state.r15,
      .r14 = state.r14,
      .r13 = state.r13,
      .r12 = state.r12,
      .rbp = state.rbp,
      .rbx = state.rbx,
      .r11 = state.r11,
      .r10 = state.r10,
      .r9 = state.r9,
      .r8 = state.r8,
      .rax = state.rax,
      .rcx = state.rcx,
      .rdx = state.rdx,
      .rsi = state.rsi,
      .rdi = state.rdi,
      .orig_rax = 0,  // which system call was entered is not known from outside
      .rip = state.rip,
      .cs = state.cs.selector,
      .eflags = state.rflags,
      .rsp = state.rsp,
      .ss = state.ss.selector,
      .fs_base = state.fs.base,
      .gs_base = state.gs.base,
      .ds = state.ds.selector,
      .es = state.es.selector,
      .fs = state.fs.selector,
      .gs = state.gs.selector,
  };
  return note;
}

}  // namespace vmm
