#include "vmm/machine/virtio_devices.h"

#include "devices/virtio/virtio_rng.h"

namespace vmm {

absl::StatusOr<std::vector<std::unique_ptr<VirtioDevice>>> MakeVirtioDevices(const VirtioConfig& config) {
  std::vector<std::unique_ptr<VirtioDevice>> devices;
  if (config.rng) devices.push_back(std::make_unique<VirtioRng>());
  return devices;
}

}  // namespace vmm
