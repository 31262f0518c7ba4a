// What the two forms of a virtqueue share: its life, its counters, its share of the device's thread.
#ifndef DEVICES_VIRTIO_RING_H_
#define DEVICES_VIRTIO_RING_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "devices/virtio/virtqueue.h"

namespace vmm {

// What a ring asks of its transport. Called on the device's thread.
class RingEvents {
 public:
  virtual ~RingEvents() = default;
  virtual void OnUsedBuffers() = 0;  // interrupt the driver
  virtual void OnBroken(int queue, const absl::Status& why) = 0;
};

// Threads: as Virtqueue; Disable() may be called while the device's thread is parked.
class Ring : public Virtqueue {
 public:
  struct Place {
    int index = 0;
    QueueLayout layout;
    uint64_t features = 0;  // those that the driver accepted; they say which form the ring has
    int kick_fd = -1;
    int interrupt_fd = -1;
  };

  // InvalidArgument if the size or an address breaks 2.7 or 2.8, or a part of the ring is not RAM. RAM never moves, so
  // this is checked once. `memory` and `events` must outlive the ring.
  static absl::StatusOr<std::unique_ptr<Ring>> Create(const Place& place, GuestMemory& memory, RingEvents& events);

  // Requests that Pop() gives before it ends early, so that a driver that adds as fast as we take cannot hold the
  // thread.
  static constexpr uint32_t kShare = 256;
  void RenewShare() { share_ = kShare; }
  // True if Pop() ended early since the last RenewShare().
  bool ended_early() const { return ended_early_; }
  void ClearEndedEarly() { ended_early_ = false; }

  // The driver took the queue away: nothing is read or written any more.
  void Disable() { disabled_ = true; }

  std::optional<DescriptorChain> Pop() final;
  void Break(const absl::Status& why) final;
  bool broken() const final { return broken_; }
  const QueueLayout& layout() const final { return place_.layout; }
  int kick_fd() const final { return place_.kick_fd; }
  int interrupt_fd() const final { return place_.interrupt_fd; }
  Progress progress() const final;
  void Interrupt() final;

 protected:
  Ring(const Place& place, GuestMemory& memory, RingEvents& events) : place_(place), memory_(memory), events_(events) {}

  uint16_t size() const { return place_.layout.size; }
  bool has(uint64_t feature) const { return (place_.features & feature) != 0; }
  bool dead() const { return broken_ || disabled_; }
  GuestMemory& memory() { return memory_; }
  void CountPop(uint16_t next_avail);
  void CountPush(uint16_t next_used);

  // The next request, or nullopt: none is available, and the driver was asked to notify. An error breaks the queue.
  virtual absl::StatusOr<std::optional<DescriptorChain>> Take() = 0;
  // True if the driver wants an interrupt about what was pushed since the last call.
  virtual bool DriverWantsInterrupt() = 0;

 private:
  const Place place_;
  GuestMemory& memory_;
  RingEvents& events_;
  bool broken_ = false, disabled_ = false, ended_early_ = false;
  uint32_t share_ = kShare;
  std::atomic<uint16_t> next_avail_ = 0, next_used_ = 0;
  std::atomic<uint64_t> popped_ = 0, pushed_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_RING_H_
