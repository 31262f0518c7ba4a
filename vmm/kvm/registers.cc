#include "vmm/kvm/registers.h"

namespace vmm {
namespace {

SegmentState FromKvm(const kvm_segment& segment) {
  return {.selector = segment.selector,
          .limit = segment.limit,
          .base = segment.base,
          .type = segment.type,
          .dpl = segment.dpl,
          .s = segment.s != 0,
          .present = segment.present != 0,
          .avl = segment.avl != 0,
          .l = segment.l != 0,
          .db = segment.db != 0,
          .g = segment.g != 0,
          .unusable = segment.unusable != 0};
}

kvm_segment ToKvm(const SegmentState& segment) {
  return {.base = segment.base,
          .limit = segment.limit,
          .selector = segment.selector,
          .type = segment.type,
          .present = segment.present,
          .dpl = segment.dpl,
          .db = segment.db,
          .s = segment.s,
          .l = segment.l,
          .g = segment.g,
          .avl = segment.avl,
          .unusable = segment.unusable};
}

DescriptorTableState FromKvm(const kvm_dtable& table) { return {.base = table.base, .limit = table.limit}; }

kvm_dtable ToKvm(const DescriptorTableState& table) { return {.base = table.base, .limit = table.limit}; }

}  // namespace

void CopyFromKvm(const kvm_regs& regs, const kvm_sregs& sregs, CpuState& state) {
  state.rax = regs.rax, state.rbx = regs.rbx, state.rcx = regs.rcx, state.rdx = regs.rdx;
  state.rsi = regs.rsi, state.rdi = regs.rdi, state.rsp = regs.rsp, state.rbp = regs.rbp;
  state.r8 = regs.r8, state.r9 = regs.r9, state.r10 = regs.r10, state.r11 = regs.r11;
  state.r12 = regs.r12, state.r13 = regs.r13, state.r14 = regs.r14, state.r15 = regs.r15;
  state.rip = regs.rip, state.rflags = regs.rflags;

  state.cs = FromKvm(sregs.cs), state.ds = FromKvm(sregs.ds), state.es = FromKvm(sregs.es);
  state.fs = FromKvm(sregs.fs), state.gs = FromKvm(sregs.gs), state.ss = FromKvm(sregs.ss);
  state.ldt = FromKvm(sregs.ldt), state.tr = FromKvm(sregs.tr);
  state.gdt = FromKvm(sregs.gdt), state.idt = FromKvm(sregs.idt);

  state.cr0 = sregs.cr0, state.cr2 = sregs.cr2, state.cr3 = sregs.cr3, state.cr4 = sregs.cr4, state.cr8 = sregs.cr8;
  state.efer = sregs.efer, state.apic_base = sregs.apic_base;
}

void CopyToKvm(const CpuState& state, kvm_regs& regs, kvm_sregs& sregs) {
  regs.rax = state.rax, regs.rbx = state.rbx, regs.rcx = state.rcx, regs.rdx = state.rdx;
  regs.rsi = state.rsi, regs.rdi = state.rdi, regs.rsp = state.rsp, regs.rbp = state.rbp;
  regs.r8 = state.r8, regs.r9 = state.r9, regs.r10 = state.r10, regs.r11 = state.r11;
  regs.r12 = state.r12, regs.r13 = state.r13, regs.r14 = state.r14, regs.r15 = state.r15;
  regs.rip = state.rip, regs.rflags = state.rflags;

  sregs.cs = ToKvm(state.cs), sregs.ds = ToKvm(state.ds), sregs.es = ToKvm(state.es);
  sregs.fs = ToKvm(state.fs), sregs.gs = ToKvm(state.gs), sregs.ss = ToKvm(state.ss);
  sregs.ldt = ToKvm(state.ldt), sregs.tr = ToKvm(state.tr);
  sregs.gdt = ToKvm(state.gdt), sregs.idt = ToKvm(state.idt);

  sregs.cr0 = state.cr0, sregs.cr2 = state.cr2, sregs.cr3 = state.cr3, sregs.cr4 = state.cr4, sregs.cr8 = state.cr8;
  sregs.efer = state.efer;
  if (state.apic_base != 0) sregs.apic_base = state.apic_base;
}

}  // namespace vmm
