// Tries in a virtual machine of its own which parts of KVM's debug interface work on this host.
#ifndef VMM_KVM_DEBUG_TRIAL_H_
#define VMM_KVM_DEBUG_TRIAL_H_

#include "absl/status/statusor.h"
#include "vmm/kvm/kvm.h"
#include "vmm/vcpu/guest_debug.h"

namespace vmm {

// Takes some milliseconds. An error if the machine for the trial could not be made.
absl::StatusOr<DebugAbilities> TryDebug(const Kvm& kvm);

}  // namespace vmm

#endif  // VMM_KVM_DEBUG_TRIAL_H_
