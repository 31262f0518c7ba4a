#include "devices/virtio/net/frame_device.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<bool> FrameDevice::Send(std::span<const uint8_t> frame) {
  while (true) {
    const ssize_t sent = write(fd_.get(), frame.data(), frame.size());
    if (sent >= 0) return true;
    switch (errno) {
      case EINTR: continue;
      case EAGAIN: return false;
      case EIO:       // the interface is down
      case EINVAL:    // the kernel does not like this frame
      case EMSGSIZE:  // it is larger than the interface's MTU
        return true;  // lost, as on a wire
      default: return ErrnoStatus(errno, absl::StrFormat("%s: send a frame", name_));
    }
  }
}

absl::StatusOr<std::span<const uint8_t>> FrameDevice::Receive() {
  while (true) {
    const ssize_t got = read(fd_.get(), in_.data(), in_.size());
    if (got >= static_cast<ssize_t>(kMinFrameBytes)) {
      return std::span<const uint8_t>(in_.data(), static_cast<size_t>(got));
    }
    if (got == 0) return absl::UnavailableError(absl::StrFormat("%s: closed", name_));
    if (got > 0 || errno == EINTR) continue;  // a frame too short to be one
    if (errno == EAGAIN) return std::span<const uint8_t>();
    return ErrnoStatus(errno, absl::StrFormat("%s: receive a frame", name_));
  }
}

}  // namespace vmm
