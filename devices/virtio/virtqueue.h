// A queue of requests between a driver and a device (virtio 1.2, section 2.6), as the device sees it. SplitQueue and
// PackedQueue are its two forms in guest memory.
#ifndef DEVICES_VIRTIO_VIRTQUEUE_H_
#define DEVICES_VIRTIO_VIRTQUEUE_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "base/guest_addr.h"
#include "devices/virtio/descriptor_chain.h"

namespace vmm {

// Where the driver put a queue, as checked when it set QueueReady. A back end in another process works on this.
struct QueueLayout {
  uint16_t size = 0;  // in descriptors, 1 to 32768
  GuestAddr desc;     // packed: the descriptor ring
  GuestAddr driver;   // split: the avail ring; packed: driver event suppression
  GuestAddr device;   // split: the used ring; packed: device event suppression
};

// Used on the device's own thread only, but for progress().
class Virtqueue {
 public:
  // Counters for reports, in requests since the queue was set up.
  struct Progress {
    uint16_t next_avail = 0;  // index of the next request to take (split: modulo 2^16)
    uint16_t next_used = 0;
    uint64_t popped = 0;
    uint64_t pushed = 0;  // popped - pushed are in flight
  };

  virtual ~Virtqueue() = default;

  // Takes the next request. Empty: the driver has made none available, and its next one will notify; or the queue is
  // broken. The device calls this until it is empty each time it is notified.
  virtual std::optional<DescriptorChain> Pop() = 0;

  // Gives back a request that was popped. `written`: how many bytes the device wrote, from the first writable one.
  // Requests may be given back in any order.
  virtual void Push(const DescriptorChain& chain, uint32_t written) = 0;

  // Interrupts the driver about what was pushed, if the driver wants that. A device calls it after a batch.
  virtual void Interrupt() = 0;

  // Stops this queue for good, until the driver resets the device: DEVICE_NEEDS_RESET is set and one line goes to the
  // log. A device calls it about a request that breaks the device's own rules so far that it cannot be answered. The
  // ring calls it about a ring that breaks those of the specification.
  virtual void Break(const absl::Status& why) = 0;
  virtual bool broken() const = 0;

  virtual const QueueLayout& layout() const = 0;

  // For a back end in another process, which works on layout(): an eventfd that becomes readable when the driver
  // notifies, and one that interrupts the driver when it is written. Valid as long as the queue. -1: there is none.
  virtual int kick_fd() const { return -1; }
  virtual int interrupt_fd() const { return -1; }

  // Any thread may call.
  virtual Progress progress() const = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_VIRTQUEUE_H_
