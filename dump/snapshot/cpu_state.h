// The registers of one vCPU as plain data. A dump keeps them, and a vCPU starts with them. KVM's own structures never
// leave vmm/kvm/.
#ifndef DUMP_SNAPSHOT_CPU_STATE_H_
#define DUMP_SNAPSHOT_CPU_STATE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace vmm {

// A segment register with its hidden part. `limit` is in bytes, granularity applied.
struct SegmentState {
  uint16_t selector = 0;
  uint32_t limit = 0;
  uint64_t base = 0;
  uint8_t type = 0;  // 4 bits, Intel SDM vol. 3 table 3-1 (system segments: table 3-2)
  uint8_t dpl = 0;
  bool s = false;  // code or data, not system
  bool present = false;
  bool avl = false;
  bool l = false;   // 64-bit code
  bool db = false;  // 32-bit default operand size
  bool g = false;
  bool unusable = false;
};

// GDTR, IDTR.
struct DescriptorTableState {
  uint64_t base = 0;
  uint16_t limit = 0;
};

// KVM's state of a vCPU's nested virtualization: the guest may itself be a hypervisor.
struct NestedCpuState {
  // struct kvm_nested_state (dump/nested/abi/nested_state_abi.h). Empty if the host's KVM has no nested virtualization,
  // or if the state could not be read: then `error` says why.
  std::vector<uint8_t> bytes;
  uint32_t max_size = 0;  // KVM_CAP_NESTED_STATE
  std::string error;
};

struct CpuState {
  uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rsp = 0, rbp = 0;
  uint64_t r8 = 0, r9 = 0, r10 = 0, r11 = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
  uint64_t rip = 0;
  uint64_t rflags = 2;  // bit 1 always reads as one

  SegmentState cs, ds, es, fs, gs, ss, ldt, tr;
  DescriptorTableState gdt, idt;

  uint64_t cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0, cr8 = 0;
  uint64_t efer = 0;
  uint64_t kernel_gs_base = 0;  // MSR_KERNEL_GS_BASE 0xc0000102
  uint64_t apic_base = 0;
  uint64_t tsc = 0;  // when the registers were read; not set by a write

  // False for a vCPU that the guest never brought up (it waits for INIT or SIPI). Its registers then have their reset
  // values and say nothing.
  bool started = true;

  // True if the vCPU waits for an interrupt in HLT. Not set by a write.
  bool halted = false;

  // If its flags say that the guest's own guest (L2) ran, all registers above are L2's. dump/nested/l1_state.h derives
  // L1's.
  NestedCpuState nested;
};

// RFLAGS.IF (SDM vol. 1, section 3.4.3.3): true if the CPU takes maskable interrupts.
inline bool InterruptsOn(const CpuState& cpu) { return (cpu.rflags & (1u << 9)) != 0; }

}  // namespace vmm

#endif  // DUMP_SNAPSHOT_CPU_STATE_H_
