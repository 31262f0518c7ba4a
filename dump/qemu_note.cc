#include "dump/qemu_note.h"

namespace vmm {
namespace {

// Bits of a descriptor's high dword: Intel SDM vol. 3, section 3.4.5.
QemuCpuSegment MakeSegment(const SegmentState& segment) {
  const uint32_t present = segment.present && !segment.unusable;
  const uint32_t flags = uint32_t{segment.type} << 8 | uint32_t{segment.s} << 12 | uint32_t{segment.dpl} << 13 |
                         present << 15 | uint32_t{segment.avl} << 20 | uint32_t{segment.l} << 21 |
                         uint32_t{segment.db} << 22 | uint32_t{segment.g} << 23;
  return {.selector = segment.selector, .limit = segment.limit, .flags = flags, .pad = 0, .base = segment.base};
}

QemuCpuSegment MakeTable(const DescriptorTableState& table) {
  return {.selector = 0, .limit = table.limit, .flags = 0, .pad = 0, .base = table.base};
}

}  // namespace

QemuCpuState MakeQemuCpuState(const CpuState& state) {
  QemuCpuState note = {};
  note.version = kQemuCpuStateVersion;
  note.size = sizeof(note);
  if (!state.started) return note;
  note.rax = state.rax;
  note.rbx = state.rbx;
  note.rcx = state.rcx;
  note.rdx = state.rdx;
  note.rsi = state.rsi;
  note.rdi = state.rdi;
  note.rsp = state.rsp;
  note.rbp = state.rbp;
  note.r8 = state.r8;
  note.r9 = state.r9;
  note.r10 = state.r10;
  note.r11 = state.r11;
  note.r12 = state.r12;
  note.r13 = state.r13;
  note.r14 = state.r14;
  note.r15 = state.r15;
  note.rip = state.rip;
  note.rflags = state.rflags;
  note.cs = MakeSegment(state.cs);
  note.ds = MakeSegment(state.ds);
  note.es = MakeSegment(state.es);
  note.fs = MakeSegment(state.fs);
  note.gs = MakeSegment(state.gs);
  note.ss = MakeSegment(state.ss);
  note.ldt = MakeSegment(state.ldt);
  note.tr = MakeSegment(state.tr);
  note.gdt = MakeTable(state.gdt);
  note.idt = MakeTable(state.idt);
  note.cr[0] = state.cr0;
  note.cr[2] = state.cr2;
  note.cr[3] = state.cr3;
  note.cr[4] = state.cr4;
  note.kernel_gs_base = state.kernel_gs_base;
  return note;
}

}  // namespace vmm
