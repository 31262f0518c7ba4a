// Finds the general registers of a guest's guest (L2) that is not running. They are in the kernel of its host (L1), in
// KVM's struct for the vCPU. The search knows that struct by its shape and needs no symbols of that kernel:
//
//   struct kvm_vcpu_arch    u64 regs[17]     RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 RIP
//                           u32 avail, dirty
//                           u64 cr0, cr0_guest_owned_bits, cr2, ...
//   struct vcpu_svm         after it, side by side: the pointer to the VMCB and its physical address
//   struct vcpu_vmx         after it: the pointer to the VMCS, and a pointer to that pointer; shortly before
//                           the former: L2's MSR_KERNEL_GS_BASE
//
// (Linux arch/x86/include/asm/kvm_host.h, kvm/svm/svm.h, kvm/vmx/vmx.h; from 4.18 on.) A match has agreed with the VMCB
// or VMCS in several places. If there is no match, or more than one, the registers are not known.
#ifndef DUMP_NESTED_KVM_VCPU_SEARCH_H_
#define DUMP_NESTED_KVM_VCPU_SEARCH_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/nested/svm/vmcb12_scan.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

struct KvmRegisters {
  GuestAddr at;                           // of regs[] in L1's memory; 0 if they are in `l1_vcpu`
  std::optional<size_t> l1_vcpu;          // they are still in this vCPU of L1, which has just left L2
  std::array<uint64_t, 16> general = {};  // in KVM's order, the order of their encoding
  uint64_t rip = 0;                       // L2 continues here, after any instruction that KVM has emulated
  uint64_t cr2 = 0;
  uint64_t kernel_gs_base = 0;  // VMX only, if L2's Linux was in user mode: its per-CPU area. 0: not known
};

// True if `value` of MSR_KERNEL_GS_BASE is the kernel's: the address of Linux's per-CPU area. The CPU was then in user
// mode. In kernel mode, this MSR holds user mode's value, which is in the other half.
inline bool IsPerCpuArea(uint64_t value) { return value >> 63 != 0 && value % kPageSize == 0; }

// Copies into `cpu` the general registers except RSP, and the other registers that are known.
void SetGeneralRegisters(const KvmRegisters& registers, CpuState* cpu);

// Returns the registers of each of `vmcbs` whose vCPU is found, by the VMCB's address. Makes one pass over `l1`, L1's
// RAM. `l1_cpus` are the registers of L1's vCPUs: one of them may have just left L2, so that KVM's struct does not have
// all of L2's registers yet. Errors come from reading `l1`.
absl::StatusOr<std::map<GuestAddr, KvmRegisters>> FindSvmVcpus(const PhysicalMemory& l1,
                                                               std::span<const FoundVmcb> vmcbs,
                                                               std::span<const CpuState> l1_cpus);

// The VMCS of a vCPU that was not running, and its address in L1's memory.
struct IdleVmcs {
  GuestAddr at;
  Vmcs12 vmcs12;
};

// Returns the registers of each of `vmcss` whose vCPU is found, by the VMCS's address. Tries KVM's stack frame first,
// as FindVmxVcpu() does. The frame has been overwritten if the vCPU's thread had to leave its CPU; then one pass over
// `l1`, L1's RAM, looks for the struct. Errors come from reading `l1`.
absl::StatusOr<std::map<GuestAddr, KvmRegisters>> FindVmxVcpus(const PhysicalMemory& l1,
                                                               std::span<const IdleVmcs> vmcss);

// Returns the registers of the vCPU whose VMCS lies at `vmcs`. HOST_RSP points to KVM's stack frame, which leads to
// them. NotFound if it does not. RIP is the vmcs12's, because KVM's own is not kept up to date.
absl::StatusOr<KvmRegisters> FindVmxVcpu(const PhysicalMemory& l1, GuestAddr vmcs, const Vmcs12& vmcs12);

}  // namespace vmm

#endif  // DUMP_NESTED_KVM_VCPU_SEARCH_H_
