// What a VM entry demands of a vmcs12 (SDM vol. 3, sections 27.2 and 27.3), so far as KVM checks it
// itself before it hands the rest to the hardware (Linux 6.1, arch/x86/kvm/vmx/nested.c). VMLAUNCH
// makes these checks, and KVM_SET_NESTED_STATE of a vCPU that runs L2.
#ifndef DUMP_NESTED_VMX_VM_ENTRY_CHECKS_H_
#define DUMP_NESTED_VMX_VM_ENTRY_CHECKS_H_

#include "absl/status/status.h"
#include "base/physical_memory.h"
#include "dump/nested/abi/vmcs12.h"

namespace vmm {

// Pure. InvalidArgument, naming the field and its value. `physical_address_bits` is MAXPHYADDR
// of L1's CPU. The features of the CPU are taken for granted: only controls that must be one,
// and combinations that are never allowed, are refused.
absl::Status CheckVmcs12Controls(const Vmcs12& vmcs12, int physical_address_bits);
absl::Status CheckVmcs12HostState(const Vmcs12& vmcs12, int physical_address_bits);

// Where `memory`, L1's RAM, is given, the region that a link pointer names must begin with KVM's
// revision, and have the shadow bit as execution control 14 says.
absl::Status CheckVmcs12GuestState(const Vmcs12& vmcs12, int physical_address_bits, const PhysicalMemory* memory);

// True iff EPT (secondary control 1) resp. VMCS shadowing (14) is on: a secondary control counts
// only where primary control 31 says so.
bool Vmcs12HasEpt(const Vmcs12& vmcs12);
bool Vmcs12HasShadowVmcs(const Vmcs12& vmcs12);

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VM_ENTRY_CHECKS_H_
