#include "dump/nested/l1_state.h"

#include <utility>

#include "dump/nested/nested_state.h"

namespace vmm {
namespace {

constexpr uint32_t kExitTo64Bits = 1u << 9;             // VM-exit controls, SDM vol. 3, table 25-13
constexpr uint32_t kExitLoadsEfer = 1u << 21;           //
constexpr uint64_t kEferLongMode = 1u << 8 | 1u << 10;  // LME, LMA

// A segment as a VM exit loads it (SDM vol. 3, section 28.5.2): flat, except for the base.
SegmentState FlatSegment(uint16_t selector, uint8_t type, uint64_t base = 0) {
  return {.selector = selector,
          .limit = 0xffffffff,
          .base = base,
          .type = type,
          .s = true,
          .present = true,
          .db = true,
          .g = true,
          .unusable = selector == 0};
}

CpuState HostState(const Vmcs12& vmcs, const CpuState& cpu) {
  constexpr uint8_t kData = 3, kCode = 0xb, kBusyTss = 0xb;
  CpuState l1;
  l1.rip = vmcs.host_rip;
  l1.rsp = vmcs.host_rsp;
  l1.cr0 = vmcs.host_cr0;
  l1.cr3 = vmcs.host_cr3;
  l1.cr4 = vmcs.host_cr4;
  const bool long_mode = (vmcs.vm_exit_controls & kExitTo64Bits) != 0;
  l1.efer = (vmcs.vm_exit_controls & kExitLoadsEfer) != 0 ? vmcs.host_ia32_efer : cpu.efer & ~kEferLongMode;
  if (long_mode) l1.efer |= kEferLongMode;
  l1.cs = FlatSegment(vmcs.host_cs_selector, kCode);
  l1.cs.l = long_mode;
  l1.cs.db = !long_mode;
  l1.ss = FlatSegment(vmcs.host_ss_selector, kData);
  l1.ds = FlatSegment(vmcs.host_ds_selector, kData);
  l1.es = FlatSegment(vmcs.host_es_selector, kData);
  l1.fs = FlatSegment(vmcs.host_fs_selector, kData, vmcs.host_fs_base);
  l1.gs = FlatSegment(vmcs.host_gs_selector, kData, vmcs.host_gs_base);
  l1.tr = {
      .selector = vmcs.host_tr_selector, .limit = 0x67, .base = vmcs.host_tr_base, .type = kBusyTss, .present = true};
  l1.ldt.unusable = true;
  l1.gdt = {.base = vmcs.host_gdtr_base, .limit = 0xffff};
  l1.idt = {.base = vmcs.host_idtr_base, .limit = 0xffff};
  return l1;
}

SegmentState FromVmcb(const VmcbSegment& segment) {
  const auto bit = [&](int n) { return (segment.attrib >> n & 1) != 0; };
  return {.selector = segment.selector,
          .limit = segment.limit,
          .base = segment.base,
          .type = static_cast<uint8_t>(segment.attrib & 0xf),
          .dpl = static_cast<uint8_t>(segment.attrib >> 5 & 3),
          .s = bit(4),
          .present = bit(7),
          .avl = bit(8),
          .l = bit(9),
          .db = bit(10),
          .g = bit(11),
          .unusable = !bit(7)};
}

CpuState SavedState(const VmcbSave& save) {
  CpuState l1;
  l1.rax = save.rax;
  l1.rip = save.rip;
  l1.rsp = save.rsp;
  l1.rflags = save.rflags;
  l1.cr0 = save.cr0;
  l1.cr3 = save.cr3;
  l1.cr4 = save.cr4;
  l1.efer = save.efer;
  l1.cs = FromVmcb(save.cs);
  l1.ss = FromVmcb(save.ss);
  l1.ds = FromVmcb(save.ds);
  l1.es = FromVmcb(save.es);
  l1.gdt = {.base = save.gdtr.base, .limit = static_cast<uint16_t>(save.gdtr.limit)};
  l1.idt = {.base = save.idtr.base, .limit = static_cast<uint16_t>(save.idtr.limit)};
  return l1;
}

}  // namespace

std::optional<CpuState> L1State(const CpuState& cpu) {
  if (cpu.nested.bytes.empty()) return std::nullopt;
  const absl::StatusOr<NestedState> nested = NestedState::Parse(cpu.nested.bytes);
  if (!nested.ok() || !nested->guest_mode()) return std::nullopt;
  std::optional<CpuState> l1;
  if (nested->vmx()) {
    if (!nested->vmcs12().has_value()) return std::nullopt;
    l1 = HostState(nested->vmcs12()->vmcs12(), cpu);
  } else {
    const std::optional<Vmcb12> vmcb = nested->vmcb12();
    if (!vmcb.has_value()) return std::nullopt;
    l1 = SavedState(vmcb->save);
  }
  l1->apic_base = cpu.apic_base;
  return l1;
}

std::vector<CpuState> InL1(std::span<const CpuState> cpus) {
  std::vector<CpuState> result(cpus.begin(), cpus.end());
  for (CpuState& cpu : result) {
    if (std::optional<CpuState> l1 = L1State(cpu)) cpu = *std::move(l1);
  }
  return result;
}

}  // namespace vmm
