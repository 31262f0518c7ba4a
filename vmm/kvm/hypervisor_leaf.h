// By which name the hypervisor gives itself out at CPUID leaf 0x40000000. Guests go by it: VMware's
// tools do not even try their port where it is KVM's, and Linux chooses its paravirtualization.
#ifndef VMM_KVM_HYPERVISOR_LEAF_H_
#define VMM_KVM_HYPERVISOR_LEAF_H_

#include <cstdint>

#include "vmm/kvm/cpuid.h"

namespace vmm {

enum class HypervisorLeaf {
  kKvm,            // KVM's, as ever
  kVmwareThenKvm,  // VMware's first, and KVM's leaves 0x100 higher. Linux looks there too, and prefers KVM
  kVmwareOnly,     // VMware's alone: Linux takes itself for VMware's guest
};

struct VmwareTiming {
  uint32_t tsc_khz = 0;
  uint32_t bus_khz = 0;  // the local APIC's
};

// `table` with VMware's leaves 0x40000000 and 0x40000010, and KVM's where `leaf` has them; as it
// is for kKvm. Leaf 0x40000010 offers neither VMCALL nor VMMCALL as a way in: KVM keeps those.
CpuidTable WithVmwareLeaf(CpuidTable table, HypervisorLeaf leaf, const VmwareTiming& timing);

}  // namespace vmm

#endif  // VMM_KVM_HYPERVISOR_LEAF_H_
