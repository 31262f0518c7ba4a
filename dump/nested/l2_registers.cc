#include "dump/nested/l2_registers.h"

#include <cstdint>

namespace vmm {
namespace {

constexpr uint32_t kEntryIa32eMode = 1 << 9;  // VM-entry control, SDM vol. 3, section 25.8.1
constexpr uint64_t kEferLme = 1 << 8, kEferLma = 1 << 10;
constexpr uint32_t kWaitForSipi = 3;  // activity state, SDM vol. 3, section 25.4.2

// `rights` are in the VMCS's format, SDM vol. 3, table 25-2.
SegmentState Segment(uint16_t selector, uint64_t base, uint32_t limit, uint32_t rights) {
  return {.selector = selector,
          .limit = limit,
          .base = base,
          .type = static_cast<uint8_t>(rights & 15),
          .dpl = static_cast<uint8_t>(rights >> 5 & 3),
          .s = (rights >> 4 & 1) != 0,
          .present = (rights >> 7 & 1) != 0,
          .avl = (rights >> 12 & 1) != 0,
          .l = (rights >> 13 & 1) != 0,
          .db = (rights >> 14 & 1) != 0,
          .g = (rights >> 15 & 1) != 0,
          .unusable = (rights >> 16 & 1) != 0};
}

SegmentState Segment(const VmcbSegment& segment) {
  SegmentState state =
      Segment(segment.selector, segment.base, segment.limit, (segment.attrib & 0xffu) | (segment.attrib & 0xf00u) << 4);
  state.unusable = !state.present;  // AMD has no bit for it
  return state;
}

}  // namespace

CpuState RegistersOf(const Vmcs12& vmcs12) {
  CpuState cpu;
#define SEGMENT(name)                                                                              \
  Segment(vmcs12.guest_##name##_selector, vmcs12.guest_##name##_base, vmcs12.guest_##name##_limit, \
          vmcs12.guest_##name##_ar_bytes)
  cpu.cs = SEGMENT(cs), cpu.ds = SEGMENT(ds), cpu.es = SEGMENT(es), cpu.fs = SEGMENT(fs), cpu.gs = SEGMENT(gs);
  cpu.ss = SEGMENT(ss), cpu.ldt = SEGMENT(ldtr), cpu.tr = SEGMENT(tr);
#undef SEGMENT
  cpu.gdt = {vmcs12.guest_gdtr_base, static_cast<uint16_t>(vmcs12.guest_gdtr_limit)};
  cpu.idt = {vmcs12.guest_idtr_base, static_cast<uint16_t>(vmcs12.guest_idtr_limit)};
  cpu.rip = vmcs12.guest_rip, cpu.rsp = vmcs12.guest_rsp, cpu.rflags = vmcs12.guest_rflags;
  cpu.cr0 = vmcs12.guest_cr0, cpu.cr3 = vmcs12.guest_cr3, cpu.cr4 = vmcs12.guest_cr4;
  // The EFER field is kept up to date only under a control that L1 may leave off. Long mode has a bit of its own.
  cpu.efer = vmcs12.guest_ia32_efer & ~(kEferLme | kEferLma);
  if ((vmcs12.vm_entry_controls & kEntryIa32eMode) != 0) cpu.efer |= kEferLme | kEferLma;
  cpu.started = vmcs12.guest_activity_state != kWaitForSipi;
  return cpu;
}

CpuState RegistersOf(const VmcbSave& save) {
  CpuState cpu;
  cpu.cs = Segment(save.cs), cpu.ds = Segment(save.ds), cpu.es = Segment(save.es), cpu.fs = Segment(save.fs);
  cpu.gs = Segment(save.gs), cpu.ss = Segment(save.ss), cpu.ldt = Segment(save.ldtr), cpu.tr = Segment(save.tr);
  cpu.gdt = {save.gdtr.base, static_cast<uint16_t>(save.gdtr.limit)};
  cpu.idt = {save.idtr.base, static_cast<uint16_t>(save.idtr.limit)};
  cpu.rip = save.rip, cpu.rsp = save.rsp, cpu.rax = save.rax, cpu.rflags = save.rflags;
  cpu.cr0 = save.cr0, cpu.cr2 = save.cr2, cpu.cr3 = save.cr3, cpu.cr4 = save.cr4;
  cpu.efer = save.efer, cpu.kernel_gs_base = save.kernel_gs_base;
  return cpu;
}

}  // namespace vmm
