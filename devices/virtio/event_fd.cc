#include "devices/virtio/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/status.h"

namespace vmm {

absl::StatusOr<EventFd> EventFd::Create() {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "eventfd");
  return EventFd(std::move(fd));
}

// A write fails only when 2^64 - 2 signals wait, and then the other side is awake anyway.
void EventFd::Signal() const {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd_.get(), &one, sizeof(one));
}

void EventFd::Clear() const {
  uint64_t signals;
  [[maybe_unused]] const ssize_t got = read(fd_.get(), &signals, sizeof(signals));
}

}  // namespace vmm
