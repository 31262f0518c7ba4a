// The front end of vhost-user: tells a back end, another process, to work on virtqueues in the guest's memory.
#ifndef DEVICES_VIRTIO_FS_VHOST_USER_H_
#define DEVICES_VIRTIO_FS_VHOST_USER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/guest_memory.h"
#include "base/unique_fd.h"
#include "devices/virtio/abi/vhost_user_abi.h"
#include "devices/virtio/virtqueue.h"

namespace vmm {

// The back end can read and write all of the guest's memory, which its descriptor gives it. Beyond that it is not
// trusted: every answer is judged, and none is waited for longer than a limit. After an error the connection is closed,
// and every further call returns an error at once.
//
// Used by one thread at a time.
class VhostUser {
 public:
  // How long the back end may take to start up, and how long to answer each message after that.
  struct Patience {
    absl::Duration start = absl::Seconds(10);
    absl::Duration message = absl::Seconds(2);
  };

  // Takes the connection `socket` to the back end `name` and settles what both can. FailedPrecondition if the back end
  // does not offer the ring features that our transport offers, or has fewer than `queues` queues.
  static absl::StatusOr<std::unique_ptr<VhostUser>> Connect(std::string name, UniqueFd socket, int queues,
                                                            Patience patience);

  int fd() const { return socket_.get(); }         // -1 after an error
  uint64_t features() const { return features_; }  // of the back end

  // The driver's features, and the memory that its queues lie in.
  absl::Status SetUp(uint64_t driver_features, const GuestMemory& memory);

  // Begins work on queue `index`, from request `base` on. The queue's two descriptors go to the back end.
  absl::Status StartQueue(int index, const Virtqueue& queue, uint16_t base);

  // Ends work on queue `index`. Returns the index of the first request that the back end has not taken. It has given
  // back all others, and no longer touches the guest's memory for this queue.
  absl::StatusOr<uint16_t> StopQueue(int index);

 private:
  VhostUser(std::string name, UniqueFd socket) : name_(std::move(name)), socket_(std::move(socket)) {}

  absl::Status Negotiate(int queues, Patience patience);
  absl::Status SetPatience(absl::Duration patience);

  // Sends a message. With REPLY_ACK it waits for the back end's word that all went well.
  absl::Status Tell(VhostUserRequest request, std::span<const uint8_t> payload, std::span<const int> fds = {});
  // Sends a message and receives an answer of exactly the size of `answer`.
  absl::Status Ask(VhostUserRequest request, std::span<const uint8_t> payload, std::span<uint8_t> answer);
  absl::StatusOr<uint64_t> AskNumber(VhostUserRequest request);

  absl::Status Send(VhostUserRequest request, uint32_t flags, std::span<const uint8_t> payload,
                    std::span<const int> fds);
  absl::Status Receive(VhostUserRequest request, std::span<uint8_t> answer);
  absl::Status ReceiveBytes(std::span<uint8_t> out);
  absl::Status Fail(absl::Status why);

  const std::string name_;
  UniqueFd socket_;
  uint64_t features_ = 0;
  bool acknowledges_ = false;  // REPLY_ACK
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_FS_VHOST_USER_H_
