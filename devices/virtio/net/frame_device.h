// Frames on a descriptor that gives and takes one at a time: a tap interface without headers, or a socket that keeps
// the borders of messages.
#ifndef DEVICES_VIRTIO_NET_FRAME_DEVICE_H_
#define DEVICES_VIRTIO_NET_FRAME_DEVICE_H_

#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "devices/virtio/net/frame_link.h"

namespace vmm {

class FrameDevice final : public FrameLink {
 public:
  // REQUIRES: `fd` does not block (O_NONBLOCK).
  FrameDevice(std::string name, UniqueFd fd) : name_(std::move(name)), fd_(std::move(fd)), in_(kMaxFrameBytes) {}

  // FrameLink
  std::string_view name() const override { return name_; }
  int fd() const override { return fd_.get(); }
  absl::StatusOr<bool> Send(std::span<const uint8_t> frame) override;
  absl::StatusOr<std::span<const uint8_t>> Receive() override;

 private:
  const std::string name_;
  const UniqueFd fd_;
  std::vector<uint8_t> in_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_NET_FRAME_DEVICE_H_
