// A source of entropy (virtio 1.2, section 5.4): fills the driver's buffers from the host's getrandom(2).
#ifndef DEVICES_VIRTIO_VIRTIO_RNG_H_
#define DEVICES_VIRTIO_VIRTIO_RNG_H_

#include "devices/virtio/virtio_device.h"

namespace vmm {

// Threads: as VirtioDevice says.
class VirtioRng final : public VirtioDevice {
 public:
  // Bytes for one request. The driver asks again for more, so a large buffer costs us no more than a small one.
  static constexpr size_t kMaxBytes = 4096;

  std::string_view name() const override { return "virtio-rng"; }
  uint32_t id() const override { return 4; }
  uint64_t features() const override { return 0; }
  bool offers_queue_reset() const override { return true; }
  std::span<const uint16_t> queue_sizes() const override { return kQueueSizes; }
  void ReadConfig(uint64_t /*offset*/, std::span<uint8_t> /*data*/) override {}  // it has none
  absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) override;
  void OnQueue(int index) override;
  void SetQueue(int /*index*/, Virtqueue* queue) override { queue_ = queue; }
  void Reset() override { queue_ = nullptr; }

 private:
  static constexpr uint16_t kQueueSizes[] = {64};

  Virtqueue* queue_ = nullptr;  // null until the driver set it up
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_VIRTIO_RNG_H_
