// The virtio devices of the machine in AML: a kernel finds them by no other way.
#ifndef VMM_BOOT_VIRTIO_AML_H_
#define VMM_BOOT_VIRTIO_AML_H_

#include "vmm/boot/aml.h"

namespace vmm {

// Devices 0 to `devices` - 1 of vmm/platform/memory_map.h, each with the id LNRO0005, to which Linux's virtio_mmio
// binds. The body of an SSDT, without its header. REQUIRES: 1 <= devices <= kMaxVirtioDevices.
AmlBytes VirtioDevicesAml(int devices);

}  // namespace vmm

#endif  // VMM_BOOT_VIRTIO_AML_H_
