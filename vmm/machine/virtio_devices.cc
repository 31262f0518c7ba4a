#include "vmm/machine/virtio_devices.h"

#include <utility>

#include "base/status.h"
#include "devices/virtio/virtio_rng.h"
#include "devices/virtio/vsock/virtio_vsock.h"
#include "vmm/backend/folder_device.h"
#include "vmm/backend/network_device.h"
#include "vmm/machine/storage_devices.h"

namespace vmm {

absl::StatusOr<std::vector<std::unique_ptr<VirtioDevice>>> MakeVirtioDevices(
    const VirtioConfig& config, GuestMemory& memory, RunEvents& events,
    std::vector<std::unique_ptr<BackEndProcess>>& processes) {
  std::vector<std::unique_ptr<VirtioDevice>> devices;
  const auto add = [&](BackedDevice made) {
    if (made.process != nullptr) processes.push_back(std::move(made.process));
    devices.push_back(std::move(made.device));
  };
  const auto on_end = [&events](const absl::Status& why) { events.OnHostFailure(why); };
  if (config.rng) devices.push_back(std::make_unique<VirtioRng>());
  for (const DiskConfig& disk : config.disks) {
    ASSIGN_OR_RETURN(std::unique_ptr<VirtioDevice> made, OpenDisk(disk));
    devices.push_back(std::move(made));
  }
  if (!config.ports.empty()) {
    ASSIGN_OR_RETURN(std::unique_ptr<VirtioDevice> made, OpenPorts(config.ports));
    devices.push_back(std::move(made));
  }
  if (!config.vsock_path.empty()) {
    ASSIGN_OR_RETURN(std::unique_ptr<VirtioDevice> made,
                     Annotate(VirtioVsock::Create(config.vsock_path), "--vsock=" + config.vsock_path));
    devices.push_back(std::move(made));
  }
  for (const HostFolder& folder : config.folders) {
    ASSIGN_OR_RETURN(BackedDevice made, ShareFolder(folder, memory, on_end));
    add(std::move(made));
  }
  for (const HostNetwork& network : config.networks) {
    ASSIGN_OR_RETURN(BackedDevice made, ConnectNetwork(network, on_end));
    add(std::move(made));
  }
  return devices;
}

}  // namespace vmm
