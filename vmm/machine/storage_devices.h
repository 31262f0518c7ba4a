// Disks and named ports of the host, as virtio devices.
#ifndef VMM_MACHINE_STORAGE_DEVICES_H_
#define VMM_MACHINE_STORAGE_DEVICES_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "devices/virtio/virtio_device.h"
#include "vmm/config/disk_config.h"

namespace vmm {

// The most that the changes to one disk may take of the host's memory. A write that needs more is an I/O error in the
// guest.
inline constexpr uint64_t kMaxOverlayInMemory = 4ull << 30;

// Errors name the file. The disk's name in the guest (/sys/block/vda/serial) is the file's name.
absl::StatusOr<std::unique_ptr<VirtioDevice>> OpenDisk(const DiskConfig& config);

// One device with all of `ports`, of which there is at least one.
absl::StatusOr<std::unique_ptr<VirtioDevice>> OpenPorts(std::span<const PortConfig> ports);

}  // namespace vmm

#endif  // VMM_MACHINE_STORAGE_DEVICES_H_
