// An eventfd: one side signals, the other side waits for it to become readable.
#ifndef DEVICES_VIRTIO_EVENT_FD_H_
#define DEVICES_VIRTIO_EVENT_FD_H_

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// Any thread may call Signal() and Clear().
class EventFd {
 public:
  static absl::StatusOr<EventFd> Create();
  EventFd() = default;  // no descriptor; the other functions then do nothing

  int fd() const { return fd_.get(); }
  void Signal() const;
  void Clear() const;  // takes the signals that came so far

 private:
  explicit EventFd(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_EVENT_FD_H_
