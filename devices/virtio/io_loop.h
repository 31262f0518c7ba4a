// What a device's thread waits for: descriptors that become ready, and times.
#ifndef DEVICES_VIRTIO_IO_LOOP_H_
#define DEVICES_VIRTIO_IO_LOOP_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace vmm {

// Used on the device's thread only.
class IoLoop {
 public:
  virtual ~IoLoop() = default;

  // Calls `ready` with the events that came (EPOLLIN, EPOLLOUT, EPOLLHUP, ...) for as long as `fd` is watched. Watching
  // it again replaces events and function. `fd` must stay open until Unwatch().
  virtual void Watch(int fd, uint32_t events, std::function<void(uint32_t)> ready) = 0;
  virtual void Unwatch(int fd) = 0;

  // Calls `run` once after `delay`; a second call replaces the first. A device has one such time.
  virtual void After(absl::Duration delay, std::function<void()> run) = 0;

  // The device changed its configuration space: counts the generation up and interrupts the driver.
  virtual void ConfigChanged() {}
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_IO_LOOP_H_
