// A virtio device on the memory bus: registers, the status machine, queues (virtio 1.2, section 4.2).
#ifndef DEVICES_VIRTIO_VIRTIO_MMIO_H_
#define DEVICES_VIRTIO_VIRTIO_MMIO_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/guest_memory.h"
#include "devices/device.h"
#include "devices/virtio/device_thread.h"
#include "devices/virtio/event_fd.h"
#include "devices/virtio/event_wiring.h"
#include "devices/virtio/ring.h"
#include "devices/virtio/virtio_device.h"

namespace vmm {

// A driver that breaks a rule gets no answer to that write. If its rings are broken, the queue stops, the status says
// DEVICE_NEEDS_RESET, the driver is interrupted, and one line goes to the log.
//
// Features are frozen at FEATURES_OK, a queue's size and addresses while it is ready. A reset has ended the device's
// thread before the write returns.
//
// Any thread may call. Pause() and Resume() belong to the run; between them no vCPU runs.
class VirtioMmio final : public Device, private RingEvents {
 public:
  static constexpr uint64_t kSize = 0x200;

  // Nothing is owned, and everything must outlive the object. `begin` runs on the device's thread before all else.
  static absl::StatusOr<std::unique_ptr<VirtioMmio>> Create(
      VirtioDevice& device, GuestMemory& memory, EventWiring& wiring, std::function<void()> begin = [] {});

  std::string_view name() const override { return device_.name(); }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

  // Afterwards the device does not touch guest RAM until Resume(). False if it did not come to rest within `patience`.
  // `leftovers`: the vCPUs have stopped for good; see VirtioDevice::TakeLeftovers.
  bool Pause(absl::Duration patience, bool leftovers);
  void Resume();

  // For reports. Waits for a reset that is under way.
  struct QueueReport {
    bool ready = false;
    QueueLayout layout;
    Virtqueue::Progress progress;
  };
  struct Report {
    std::string name;
    uint32_t status = 0;
    uint64_t features = 0;  // accepted by the driver
    std::vector<QueueReport> queues;
    std::vector<RequestInFlight> in_flight;
  };
  Report Describe() const;

 private:
  struct Queue {
    uint16_t size_max = 0;
    uint32_t size = 0;  // 0: the driver wrote one that is refused
    uint64_t desc = 0, driver = 0, device = 0;
    EventFd kick;
    bool notify_connected = false;
    std::unique_ptr<Ring> ring;  // while ready
    std::unique_ptr<Ring> gone;  // the device may still name it, until its reset
  };

  VirtioMmio(VirtioDevice& device, GuestMemory& memory, EventWiring& wiring);

  uint32_t ReadRegister(uint64_t offset);
  void WriteRegister(uint64_t offset, uint32_t value);
  void WriteDriverFeatures(uint32_t value);
  void WriteStatus(uint32_t value);
  void WriteQueueNum(uint32_t value);
  void WriteQueueReady(uint32_t value);
  void WriteAddress(uint64_t Queue::*address, bool high, uint32_t value);

  uint64_t OfferedFeatures() const;
  bool FeaturesAreGood() const;
  Queue* Selected();
  void SetUpQueue(Queue& queue);
  void TakeAwayQueue(Queue& queue);
  void StartDevice();
  void Reset();
  bool running() const { return thread_ != nullptr; }
  uint32_t status() const;

  // RingEvents, and the thread's: they take no lock, because a reset holds it while it waits for the thread.
  void OnUsedBuffers() override;
  void OnBroken(int queue, const absl::Status& why) override;
  void NeedsReset(const std::string& why);
  void Interrupt(uint32_t cause);
  void OnConfigChanged();

  VirtioDevice& device_;
  GuestMemory& memory_;
  EventWiring& wiring_;
  const bool external_;

  std::atomic<uint32_t> interrupt_status_ = 0;
  std::atomic<uint32_t> config_generation_ = 0;
  std::atomic<bool> needs_reset_ = false;
  std::atomic<bool> driver_ok_ = false;
  std::atomic<bool> interrupt_connected_ = false;
  std::atomic<int> lines_logged_ = 0;
  EventFd interrupt_;

  mutable std::mutex mutex_;  // guards the following
  uint32_t status_ = 0;       // without DEVICE_NEEDS_RESET
  uint32_t device_features_sel_ = 0, driver_features_sel_ = 0, queue_sel_ = 0;
  uint64_t driver_features_ = 0;
  bool unknown_features_ = false;  // the driver accepted some above bit 63
  std::vector<Queue> queues_;
  std::unique_ptr<WorkerThread> worker_;
  std::unique_ptr<DeviceThread> thread_;  // last: it uses the queues and the worker
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_VIRTIO_MMIO_H_
