// The checks of a VM entry on a vmcs12 (SDM vol. 3, sections 27.2 and 27.3), as far as KVM makes them itself before it
// leaves the rest to the hardware (Linux 6.1, arch/x86/kvm/vmx/nested.c). VMLAUNCH makes these checks, and so does
// KVM_SET_NESTED_STATE for a vCPU that runs L2.
#ifndef DUMP_NESTED_VMX_VM_ENTRY_CHECKS_H_
#define DUMP_NESTED_VMX_VM_ENTRY_CHECKS_H_

#include "absl/status/status.h"
#include "base/physical_memory.h"
#include "dump/nested/abi/vmcs12.h"

namespace vmm {

// Pure. InvalidArgument names the field and its value. `physical_address_bits` is MAXPHYADDR of L1's CPU. The CPU is
// assumed to have all features: only a zero in a control that must be one, and combinations that are never allowed, are
// refused.
absl::Status CheckVmcs12Controls(const Vmcs12& vmcs12, int physical_address_bits);
absl::Status CheckVmcs12HostState(const Vmcs12& vmcs12, int physical_address_bits);

// If `memory`, L1's RAM, is not null, the region at a link pointer must begin with KVM's revision, and its shadow bit
// must agree with secondary execution control 14.
absl::Status CheckVmcs12GuestState(const Vmcs12& vmcs12, int physical_address_bits, const PhysicalMemory* memory);

// True if EPT (secondary control 1) or VMCS shadowing (14) is on, respectively. A secondary control counts only if
// primary control 31 is set.
bool Vmcs12HasEpt(const Vmcs12& vmcs12);
bool Vmcs12HasShadowVmcs(const Vmcs12& vmcs12);

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VM_ENTRY_CHECKS_H_
