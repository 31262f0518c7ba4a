// virtio-blk (docs/abi/virtio-blk.md): one queue of requests, done in order by blocking calls on the device's thread.
#ifndef DEVICES_VIRTIO_BLK_VIRTIO_BLK_H_
#define DEVICES_VIRTIO_BLK_VIRTIO_BLK_H_

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "devices/disk/disk_storage.h"
#include "devices/virtio/abi/virtio_blk_abi.h"
#include "devices/virtio/virtio_device.h"

namespace vmm {

// Threads: as VirtioDevice says. The storage is used on the device's thread only. ReadConfig reads constants.
class VirtioBlk final : public VirtioDevice {
 public:
  static constexpr uint16_t kQueueSize = 256;
  static constexpr uint32_t kSegMax = kQueueSize - 2;       // a request's data buffers, besides header and status
  static constexpr uint32_t kMaxDiscardSectors = 1u << 22;  // 2 GiB
  // 32 MiB: a file system that cannot zero a range has it written, while the queue waits.
  static constexpr uint32_t kMaxWriteZeroesSectors = 1u << 16;
  static constexpr uint32_t kMaxRanges = 16;  // of one DISCARD or WRITE_ZEROES

  // `id` is the disk's name in the guest (/sys/block/vda/serial) and in our messages; GET_ID cuts it at 20 bytes. `log`
  // gets one line for each kind of error of the host.
  VirtioBlk(std::unique_ptr<DiskStorage> storage, std::string id, std::function<void(std::string_view)> log);

  std::string_view name() const override { return "virtio-blk"; }
  uint32_t id() const override { return kVirtioIdBlock; }
  uint64_t features() const override;
  std::span<const uint16_t> queue_sizes() const override { return kQueueSizes; }
  void ReadConfig(uint64_t offset, std::span<uint8_t> data) override;
  absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) override;
  void OnQueue(int index) override;
  void Reset() override;
  std::vector<RequestInFlight> InFlight() const override;

 private:
  static constexpr std::array<uint16_t, 1> kQueueSizes = {kQueueSize};

  // What is being done, for InFlight().
  struct Current {
    uint16_t chain;
    VirtioBlkReq header;
    uint64_t bytes;
  };

  // Does a request and gives it back, with its status in its last byte. False if it has no such byte; the queue is
  // then broken.
  bool Serve(DescriptorChain& chain);
  // These return the status byte. `data`: the buffers to fill; `written`: how many bytes of them were.
  uint8_t Do(const VirtioBlkReq& header, DescriptorChain& chain, std::vector<iovec> data, uint64_t& written);
  uint8_t ReadSectors(uint64_t sector, const std::vector<iovec>& data, uint64_t& written);
  uint8_t WriteSectors(uint64_t sector, DescriptorChain& chain);
  uint8_t GetId(const std::vector<iovec>& data, uint64_t& written) const;
  uint8_t DiscardOrZero(uint32_t type, DescriptorChain& chain);
  // True if the range lies on the disk. Nothing overflows.
  bool OnDisk(uint64_t sector, uint64_t bytes) const;
  // After a change: on the host's disk at once, unless the driver said that it flushes.
  absl::Status WriteThrough();
  // The status byte for `done`; logs an error of a kind that is new.
  uint8_t Answer(std::string_view what, uint64_t sector, const absl::Status& done);

  const std::unique_ptr<DiskStorage> storage_;
  const std::string id_;
  const std::function<void(std::string_view)> log_;

  // Of the device's thread.
  uint64_t features_ = 0;  // those that the driver accepted
  Virtqueue* queue_ = nullptr;
  std::set<std::pair<std::string, absl::StatusCode>> logged_;  // what was done, and how it failed

  mutable std::mutex mutex_;  // guards current_
  std::optional<Current> current_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_BLK_VIRTIO_BLK_H_
