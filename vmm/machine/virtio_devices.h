// The virtio devices that a run's configuration asks for, in the order of their places on the bus.
#ifndef VMM_MACHINE_VIRTIO_DEVICES_H_
#define VMM_MACHINE_VIRTIO_DEVICES_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "devices/virtio/virtio_device.h"
#include "vmm/backend/back_end_process.h"
#include "vmm/config/vm_config.h"
#include "vmm/vcpu/run_events.h"

namespace vmm {

// Errors come from a device's back end: a file that cannot be opened, a helper that cannot be started. Devices of one
// kind keep the order of the flags, so that the first disk is the guest's first.
//
// The programs that do a device's work are added to `processes`; they must outlive the devices. If one ends by itself,
// `events` hears of it. `memory` and `events` must outlive both.
absl::StatusOr<std::vector<std::unique_ptr<VirtioDevice>>> MakeVirtioDevices(
    const VirtioConfig& config, GuestMemory& memory, RunEvents& events,
    std::vector<std::unique_ptr<BackEndProcess>>& processes);

}  // namespace vmm

#endif  // VMM_MACHINE_VIRTIO_DEVICES_H_
