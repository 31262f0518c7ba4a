#include "dump/elf/qemu_note.h"

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

SegmentState SegmentOf(const QemuCpuSegment& s) {
  SegmentState segment;
  segment.selector = static_cast<uint16_t>(s.selector);
  segment.limit = s.limit;
  segment.base = s.base;
  segment.type = s.flags >> 8 & 15;
  segment.s = s.flags >> 12 & 1;
  segment.dpl = s.flags >> 13 & 3;
  segment.present = s.flags >> 15 & 1;
  segment.avl = s.flags >> 20 & 1;
  segment.l = s.flags >> 21 & 1;
  segment.db = s.flags >> 22 & 1;
  segment.g = s.flags >> 23 & 1;
  return segment;
}

DescriptorTableState TableOf(const QemuCpuSegment& s) { return {s.base, static_cast<uint16_t>(s.limit)}; }

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

CpuState CpuOf(const QemuCpuState& note) {
  constexpr uint64_t kCr0Paging = 1ull << 31;
  constexpr uint64_t kCr4Pae = 1 << 5;
  constexpr uint64_t kEferLongMode = 0x500;  // LME and LMA
  CpuState cpu;
  cpu.rax = note.rax, cpu.rbx = note.rbx, cpu.rcx = note.rcx, cpu.rdx = note.rdx;
  cpu.rsi = note.rsi, cpu.rdi = note.rdi, cpu.rsp = note.rsp, cpu.rbp = note.rbp;
  cpu.r8 = note.r8, cpu.r9 = note.r9, cpu.r10 = note.r10, cpu.r11 = note.r11;
  cpu.r12 = note.r12, cpu.r13 = note.r13, cpu.r14 = note.r14, cpu.r15 = note.r15;
  cpu.rip = note.rip, cpu.rflags = note.rflags;
  cpu.cs = SegmentOf(note.cs), cpu.ds = SegmentOf(note.ds), cpu.es = SegmentOf(note.es);
  cpu.fs = SegmentOf(note.fs), cpu.gs = SegmentOf(note.gs), cpu.ss = SegmentOf(note.ss);
  cpu.ldt = SegmentOf(note.ldt), cpu.tr = SegmentOf(note.tr);
  cpu.gdt = TableOf(note.gdt), cpu.idt = TableOf(note.idt);
  cpu.cr0 = note.cr[0], cpu.cr2 = note.cr[2], cpu.cr3 = note.cr[3], cpu.cr4 = note.cr[4];
  cpu.kernel_gs_base = note.kernel_gs_base;
  if ((cpu.cr0 & kCr0Paging) != 0 && (cpu.cr4 & kCr4Pae) != 0) cpu.efer = kEferLongMode;
  cpu.started = cpu.cr0 != 0;
  return cpu;
}

}  // namespace vmm
