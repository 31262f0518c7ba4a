// The name that the hypervisor gives at CPUID leaf 0x40000000. Guests act on it: if it is KVM's, VMware's tools do not
// even try their port. Linux chooses its paravirtualization by it.
#ifndef VMM_KVM_HYPERVISOR_LEAF_H_
#define VMM_KVM_HYPERVISOR_LEAF_H_

#include <cstdint>

#include "vmm/kvm/cpuid.h"

namespace vmm {

enum class HypervisorLeaf {
  kKvm,            // KVM's alone, the default
  kVmwareThenKvm,  // VMware's first, KVM's leaves 0x100 higher. Linux looks there too and prefers KVM
  kVmwareOnly,     // VMware's alone: Linux believes that it is VMware's guest
};

struct VmwareTiming {
  uint32_t tsc_khz = 0;
  uint32_t bus_khz = 0;  // the local APIC's
};

// Returns `table` with VMware's leaves 0x40000000 and 0x40000010, and with KVM's if `leaf` keeps them. For kKvm the
// table is unchanged. Leaf 0x40000010 offers neither VMCALL nor VMMCALL as a way in, because KVM keeps those for
// itself.
CpuidTable WithVmwareLeaf(CpuidTable table, HypervisorLeaf leaf, const VmwareTiming& timing);

}  // namespace vmm

#endif  // VMM_KVM_HYPERVISOR_LEAF_H_
