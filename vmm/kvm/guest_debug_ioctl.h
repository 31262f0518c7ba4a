// Converts GuestDebug to KVM's struct.
#ifndef VMM_KVM_GUEST_DEBUG_IOCTL_H_
#define VMM_KVM_GUEST_DEBUG_IOCTL_H_

#include <linux/kvm.h>

#include <cstddef>

#include "vmm/vcpu/guest_debug.h"

namespace vmm {

// KVM_GUESTDBG_BLOCKIRQ, of Linux 5.15. Headers that are older lack it.
inline constexpr uint32_t kGuestDebugBlockIrq = 0x00100000;

// REQUIRES: at most kHardwareBreaks breaks.
kvm_guest_debug ToKvm(const GuestDebug& debug);

}  // namespace vmm

#endif  // VMM_KVM_GUEST_DEBUG_IOCTL_H_
