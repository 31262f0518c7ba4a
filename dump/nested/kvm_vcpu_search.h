// The general registers of a guest's guest (L2) that does not run are in its host's kernel, in the struct
// that KVM there has for the vCPU. It is looked for by its shape, without that kernel's symbols:
//
//   struct kvm_vcpu_arch    u64 regs[17]     RAX RCX RDX RBX RSP RBP RSI RDI R8..R15 RIP
//                           u32 avail, dirty
//                           u64 cr0, cr0_guest_owned_bits, cr2, ...
//   struct vcpu_svm         behind it the pointer to the VMCB and its physical address, side by side
//   struct vcpu_vmx         behind it the pointer to the VMCS, and one to where that pointer lies; shortly before
//                           the former L2's MSR_KERNEL_GS_BASE
//
// (Linux arch/x86/include/asm/kvm_host.h, kvm/svm/svm.h, kvm/vmx/vmx.h; from 4.18 on.) What is found has
// agreed with the VMCB or VMCS in several places. Where nothing does, or two things do, the answer is
// that the registers are not known.
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
  GuestAddr at;                           // of regs[] in L1's memory; 0 where they are in `l1_vcpu`
  std::optional<size_t> l1_vcpu;          // the vCPU of L1 that has left L2 just now, and in which they still are
  std::array<uint64_t, 16> general = {};  // in KVM's order, which is that of their encoding
  uint64_t rip = 0;                       // where L2 goes on: past an instruction that KVM has emulated
  uint64_t cr2 = 0;
  uint64_t kernel_gs_base = 0;  // VMX, of a Linux that was in user mode: its per-CPU area. 0 where that is not known
};

// Whether an MSR_KERNEL_GS_BASE of `value` is the kernel's, and so that of a CPU in user mode: the address of
// Linux's per-CPU area. In the kernel that MSR has what user mode had, in the other half.
inline bool IsPerCpuArea(uint64_t value) { return value >> 63 != 0 && value % kPageSize == 0; }

// Puts the general registers, but for RSP, and what else is known into `cpu`.
void SetGeneralRegisters(const KvmRegisters& registers, CpuState* cpu);

// For each of `vmcbs` whose vCPU is found, by the address of the VMCB. One pass over `l1`, L1's RAM. `l1_cpus` are the
// registers of L1's vCPUs: one of them may have left L2 just now, and KVM's struct not know all of that yet. Errors are
// those of reading `l1`.
absl::StatusOr<std::map<GuestAddr, KvmRegisters>> FindSvmVcpus(const PhysicalMemory& l1,
                                                               std::span<const FoundVmcb> vmcbs,
                                                               std::span<const CpuState> l1_cpus);

// The VMCS of a vCPU that did not run, and where it lies in L1's memory.
struct IdleVmcs {
  GuestAddr at;
  Vmcs12 vmcs12;
};

// For each of `vmcss` whose vCPU is found, by the address of the VMCS. First by KVM's stack frame, as below; where that
// has been used for something else, because the vCPU's thread had to leave its CPU, by one pass over `l1`, L1's RAM.
// Errors are those of reading it.
absl::StatusOr<std::map<GuestAddr, KvmRegisters>> FindVmxVcpus(const PhysicalMemory& l1,
                                                               std::span<const IdleVmcs> vmcss);

// The vCPU whose VMCS lies at `vmcs`. KVM's stack frame, to which HOST_RSP points, leads to its registers.
// NotFound where it does not. RIP is the vmcs12's: KVM's own is not kept up to date.
absl::StatusOr<KvmRegisters> FindVmxVcpu(const PhysicalMemory& l1, GuestAddr vmcs, const Vmcs12& vmcs12);

}  // namespace vmm

#endif  // DUMP_NESTED_KVM_VCPU_SEARCH_H_
