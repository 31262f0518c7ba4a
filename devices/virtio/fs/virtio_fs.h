// A folder of the host as a file system (virtio 1.2, section 5.11). The work is done by a vhost-user back end,
// virtiofsd; this is the device that the driver sees.
#ifndef DEVICES_VIRTIO_FS_VIRTIO_FS_H_
#define DEVICES_VIRTIO_FS_VIRTIO_FS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/guest_memory.h"
#include "devices/virtio/fs/vhost_user.h"
#include "devices/virtio/virtio_device.h"

namespace vmm {

// Threads: see VirtioDevice.
class VirtioFs final : public VirtioDevice {
 public:
  static constexpr size_t kMaxTagBytes = 36;

  static constexpr int kQueues = 2;  // what the back end must have

  // `tag`: 1 to kMaxTagBytes bytes, the name to mount. `memory` must outlive the device.
  VirtioFs(std::string tag, std::unique_ptr<VhostUser> back_end, GuestMemory& memory);

  std::string_view name() const override { return "virtio-fs"; }
  uint32_t id() const override;
  uint64_t features() const override { return 0; }
  bool offers_packed() const override { return false; }  // virtiofsd knows split rings only
  bool is_external() const override { return true; }
  std::span<const uint16_t> queue_sizes() const override;
  void ReadConfig(uint64_t offset, std::span<uint8_t> data) override;
  absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) override;
  void OnQueue(int /*index*/) override {}  // the back end gets the notification itself
  void Drain() override;
  void Resume() override;
  void Reset() override;

 private:
  struct Queue {
    Virtqueue* ring = nullptr;  // null: the driver did not set it up
    uint16_t base = 0;          // the next request to take, while the queue is stopped
    bool runs = false;
  };

  absl::Status StartQueues();
  void StopQueues();

  const std::string tag_;
  const std::unique_ptr<VhostUser> back_end_;
  GuestMemory& memory_;
  std::array<Queue, kQueues> queues_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_FS_VIRTIO_FS_H_
