#include "dump/read/registers.h"

#include "dump/nested/nested_state.h"

namespace vmm {

std::vector<std::pair<std::string, uint64_t>> RegistersOf(const CpuState& cpu) {
  std::vector<std::pair<std::string, uint64_t>> registers = {{"rax", cpu.rax},
                                                             {"rbx", cpu.rbx},
                                                             {"rcx", cpu.rcx},
                                                             {"rdx", cpu.rdx},
                                                             {"rsi", cpu.rsi},
                                                             {"rdi", cpu.rdi},
                                                             {"rbp", cpu.rbp},
                                                             {"rsp", cpu.rsp},
                                                             {"r8", cpu.r8},
                                                             {"r9", cpu.r9},
                                                             {"r10", cpu.r10},
                                                             {"r11", cpu.r11},
                                                             {"r12", cpu.r12},
                                                             {"r13", cpu.r13},
                                                             {"r14", cpu.r14},
                                                             {"r15", cpu.r15},
                                                             {"rip", cpu.rip},
                                                             {"rflags", cpu.rflags},
                                                             {"cr0", cpu.cr0},
                                                             {"cr2", cpu.cr2},
                                                             {"cr3", cpu.cr3},
                                                             {"cr4", cpu.cr4},
                                                             {"kernel_gs_base", cpu.kernel_gs_base}};
  const absl::StatusOr<NestedState> nested = NestedState::Parse(cpu.nested.bytes);
  if (nested.ok() && nested->vmx() && nested->header().vmx.vmxon_pa != kNestedNoAddress) {
    registers.emplace_back("vmxon", nested->header().vmx.vmxon_pa);
    registers.emplace_back("vmptr", nested->header().vmx.vmcs12_pa);
  } else if (nested.ok() && !nested->vmx() && nested->guest_mode()) {
    registers.emplace_back("vmcb", nested->header().svm.vmcb_pa);
  }
  return registers;
}

std::vector<std::pair<std::string, SegmentState>> SegmentsOf(const CpuState& cpu) {
  SegmentState gdt, idt;
  gdt.base = cpu.gdt.base, gdt.limit = cpu.gdt.limit;
  idt.base = cpu.idt.base, idt.limit = cpu.idt.limit;
  return {{"cs", cpu.cs}, {"ss", cpu.ss}, {"ds", cpu.ds},   {"es", cpu.es}, {"fs", cpu.fs},
          {"gs", cpu.gs}, {"tr", cpu.tr}, {"ldt", cpu.ldt}, {"gdt", gdt},   {"idt", idt}};
}

std::string ModeOf(const CpuState& cpu) {
  if (!cpu.started) return "not started";
  // Without QEMU's note CR0 is unknown. A selector of 64-bit Linux is enough.
  if (cpu.cr0 != 0 && (cpu.cr0 & 1) == 0) return "real mode";
  return (cpu.cs.selector & 3) == 3 ? "user" : "kernel";
}

}  // namespace vmm
