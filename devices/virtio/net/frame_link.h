// The host's end of a network: Ethernet frames out and in. FrameStream and FrameDevice are its two forms.
#ifndef DEVICES_VIRTIO_NET_FRAME_LINK_H_
#define DEVICES_VIRTIO_NET_FRAME_LINK_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vmm {

inline constexpr size_t kMinFrameBytes = 14;              // two addresses and a type
inline constexpr size_t kMaxFrameBytes = 65535 + 14 + 4;  // the largest IP packet, with a VLAN tag

// Used by one thread at a time. Nothing here waits. The other end is not trusted: an error means that it broke its
// protocol or is gone, and nothing more can be sent or received.
class FrameLink {
 public:
  virtual ~FrameLink() = default;

  virtual std::string_view name() const = 0;  // for messages: "passt"
  virtual int fd() const = 0;                 // for epoll: readable and writable as usual

  // Sends one frame of kMinFrameBytes to kMaxFrameBytes. False: the other end is busy, and nothing was taken; try again
  // after fd() became writable.
  virtual absl::StatusOr<bool> Send(std::span<const uint8_t> frame) = 0;

  // Sends the rest of a frame that was taken but not sent as a whole. False: there is still a rest.
  virtual absl::StatusOr<bool> Flush() { return true; }

  // The next frame, valid until the next call. Empty: none has come as a whole.
  virtual absl::StatusOr<std::span<const uint8_t>> Receive() = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_NET_FRAME_LINK_H_
