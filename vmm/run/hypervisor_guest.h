// Tells from a vCPU's registers if its guest is a hypervisor just now. KVM then may hold pages of guest RAM pinned, and
// write to them whatever becomes of our mapping.
#ifndef VMM_RUN_HYPERVISOR_GUEST_H_
#define VMM_RUN_HYPERVISOR_GUEST_H_

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// True if the guest's own guest runs.
bool RunsNestedGuest(const CpuState& cpu);

// True if the guest has switched hardware virtualization on, so that it may run a guest at any moment. Also if the
// nested state could not be read.
bool MayRunNestedGuest(const CpuState& cpu);

}  // namespace vmm

#endif  // VMM_RUN_HYPERVISOR_GUEST_H_
