// The virtio devices that a run's configuration asks for, in the order of their places on the bus.
#ifndef VMM_MACHINE_VIRTIO_DEVICES_H_
#define VMM_MACHINE_VIRTIO_DEVICES_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "devices/virtio/virtio_device.h"
#include "vmm/config/vm_config.h"

namespace vmm {

// Errors come from a device's back end: a file that cannot be opened, a helper that cannot be started. Devices of one
// kind keep the order of the flags, so that the first disk is the guest's first.
absl::StatusOr<std::vector<std::unique_ptr<VirtioDevice>>> MakeVirtioDevices(const VirtioConfig& config);

}  // namespace vmm

#endif  // VMM_MACHINE_VIRTIO_DEVICES_H_
