// Frames on a stream socket, each after its length in 4 bytes, big endian: the protocol of passt, and of QEMU's
// "-netdev stream".
#ifndef DEVICES_VIRTIO_NET_FRAME_STREAM_H_
#define DEVICES_VIRTIO_NET_FRAME_STREAM_H_

#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "devices/virtio/net/frame_link.h"

namespace vmm {

class FrameStream final : public FrameLink {
 public:
  // `name`: of the program at the other end of `socket`.
  FrameStream(std::string name, UniqueFd socket);

  // FrameLink
  std::string_view name() const override { return name_; }
  int fd() const override { return socket_.get(); }
  absl::StatusOr<bool> Send(std::span<const uint8_t> frame) override;
  absl::StatusOr<bool> Flush() override;
  absl::StatusOr<std::span<const uint8_t>> Receive() override;

 private:
  // The next frame in in_, if all of it is there.
  absl::StatusOr<std::span<const uint8_t>> TakeFrame();

  const std::string name_;
  const UniqueFd socket_;

  std::vector<uint8_t> out_;  // one frame with its length
  size_t out_begin_ = 0, out_end_ = 0;

  std::vector<uint8_t> in_;
  size_t in_begin_ = 0, in_end_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_NET_FRAME_STREAM_H_
