// The interface of every virtio device: feature bits, configuration space, queues. VirtioMmio puts one on the bus.
#ifndef DEVICES_VIRTIO_VIRTIO_DEVICE_H_
#define DEVICES_VIRTIO_VIRTIO_DEVICE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "devices/virtio/io_loop.h"
#include "devices/virtio/virtqueue.h"

namespace vmm {

// One request that a device has taken and not yet given back, in words for a report: "read sector 2048, 8 sectors".
struct RequestInFlight {
  int queue = 0;
  uint16_t chain = 0;
  std::string words;
};

// Threads: each device has a thread of its own, which runs its IoLoop from DRIVER_OK until the driver resets the
// device. Activate, OnQueue, Drain and the loop's callbacks are called on it. Reset is called
// on that thread too, after the work has ended. ReadConfig and WriteConfig are called on any vCPU thread at any time,
// so what they share with the device's thread needs a lock. The constant functions at the top may be called on any
// thread.
class VirtioDevice {
 public:
  virtual ~VirtioDevice() = default;

  virtual std::string_view name() const = 0;  // a literal: "virtio-blk"
  virtual uint32_t id() const = 0;            // virtio 1.2, section 5
  // The device's own feature bits (0 to 23, 50 up). The transport adds those of rings and of itself, but for
  // VIRTIO_F_RING_PACKED if offers_packed() is false.
  virtual uint64_t features() const = 0;
  virtual bool offers_packed() const { return true; }
  virtual std::span<const uint16_t> queue_sizes() const = 0;  // the largest size of each queue

  // True if another process works on the queues: it reads Virtqueue::kick_fd() and writes interrupt_fd() by itself.
  // OnQueue is then never called. Read once, when the device is put on the bus.
  virtual bool is_external() const { return false; }

  // True: the transport offers VIRTIO_F_RING_RESET, and calls SetQueue.
  virtual bool offers_queue_reset() const { return false; }

  // The device's part of configuration space, from its first byte. `data` may pass its end: such bytes read as 0 and
  // are ignored in writes.
  virtual void ReadConfig(uint64_t offset, std::span<uint8_t> data) = 0;
  virtual void WriteConfig(uint64_t /*offset*/, std::span<const uint8_t> /*data*/) {}

  // The driver is ready (DRIVER_OK). `features` are those that it accepted. A queue that the driver did not set up is
  // null. An error sets DEVICE_NEEDS_RESET.
  virtual absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) = 0;

  // The driver may have made requests available in queue `index`. It is called again soon if Pop() ended early because
  // the queue had its share of the thread.
  virtual void OnQueue(int index) = 0;

  // Queue `index` is gone (null): the device forgets what it popped from it. Or the driver set it up again. Called
  // while the device's thread is parked.
  virtual void SetQueue(int /*index*/, Virtqueue* /*queue*/) {}

  // Before the machine's RAM is read, for a pause or a dump: finishes what is half-way in RAM, or waits for the back
  // end to do so, for at most a second or so. Afterwards nothing of this device writes guest RAM until Resume().
  virtual void Drain() {}
  virtual void Resume() {}

  // The vCPUs have stopped for good, and Drain() follows: takes what the guest left in its rings and the user wants to
  // see, such as the last lines of a console.
  virtual void TakeLeftovers() {}

  // Forgets everything that the driver told it. The queues are gone.
  virtual void Reset() = 0;

  // Any thread may call.
  virtual std::vector<RequestInFlight> InFlight() const { return {}; }
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_VIRTIO_DEVICE_H_
