#include "dump/elf/prstatus.h"

#include <cstring>

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
      .orig_rax = 0,  // the system call that was entered is not known from outside
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

CpuState CpuOf(const ElfPrstatus& note) {
  const UserRegs& regs = note.pr_reg;
  CpuState cpu;
  cpu.rax = regs.rax, cpu.rbx = regs.rbx, cpu.rcx = regs.rcx, cpu.rdx = regs.rdx;
  cpu.rsi = regs.rsi, cpu.rdi = regs.rdi, cpu.rsp = regs.rsp, cpu.rbp = regs.rbp;
  cpu.r8 = regs.r8, cpu.r9 = regs.r9, cpu.r10 = regs.r10, cpu.r11 = regs.r11;
  cpu.r12 = regs.r12, cpu.r13 = regs.r13, cpu.r14 = regs.r14, cpu.r15 = regs.r15;
  cpu.rip = regs.rip, cpu.rflags = regs.eflags;
  cpu.cs.selector = static_cast<uint16_t>(regs.cs), cpu.ss.selector = static_cast<uint16_t>(regs.ss);
  cpu.ds.selector = static_cast<uint16_t>(regs.ds), cpu.es.selector = static_cast<uint16_t>(regs.es);
  cpu.fs.selector = static_cast<uint16_t>(regs.fs), cpu.gs.selector = static_cast<uint16_t>(regs.gs);
  cpu.fs.base = regs.fs_base, cpu.gs.base = regs.gs_base;
  const UserRegs none = {};
  cpu.started = std::memcmp(&regs, &none, sizeof(regs)) != 0;
  return cpu;
}

}  // namespace vmm
