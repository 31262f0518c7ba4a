#include "vmm/machine/storage_devices.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "devices/disk/overlay_disk.h"
#include "devices/disk/raw_disk.h"
#include "devices/virtio/blk/virtio_blk.h"
#include "devices/virtio/console/virtio_console.h"

namespace vmm {
namespace {

using Changes = DiskConfig::Changes;

absl::StatusOr<std::unique_ptr<DiskStorage>> OpenStorage(const DiskConfig& config) {
  const auto access = config.changes == Changes::kToFile ? RawDisk::Access::kReadWrite : RawDisk::Access::kReadOnly;
  ASSIGN_OR_RETURN(std::unique_ptr<RawDisk> file, Annotate(RawDisk::Open(config.path, access), config.path));
  if (config.changes == Changes::kToMemory) {
    ASSIGN_OR_RETURN(std::unique_ptr<OverlayDisk> disk, OverlayDisk::InMemory(std::move(file), kMaxOverlayInMemory));
    return disk;
  }
  if (config.changes == Changes::kToOverlay) {
    ASSIGN_OR_RETURN(std::unique_ptr<OverlayDisk> disk,
                     Annotate(OverlayDisk::InFile(std::move(file), config.overlay_file), config.overlay_file));
    return disk;
  }
  return file;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VirtioDevice>> OpenDisk(const DiskConfig& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<DiskStorage> storage, Annotate(OpenStorage(config), "--disk"));
  return std::make_unique<VirtioBlk>(std::move(storage), std::filesystem::path(config.path).filename(), LogWarning);
}

absl::StatusOr<std::unique_ptr<VirtioDevice>> OpenPorts(std::span<const PortConfig> ports) {
  std::vector<VirtioConsole::NamedPort> named;
  for (const PortConfig& port : ports) {
    ASSIGN_OR_RETURN(PortEnd end, Annotate(PortEnd::Open(port.where), "--virtio-port=" + port.name + "=" + port.where));
    named.push_back({port.name, std::move(end)});
  }
  return std::make_unique<VirtioConsole>(std::move(named), LogWarning);
}

}  // namespace vmm
