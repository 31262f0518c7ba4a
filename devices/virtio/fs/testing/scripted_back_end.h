// A vhost-user back end that a test writes: it answers like virtiofsd unless the test says otherwise.
#ifndef DEVICES_VIRTIO_FS_TESTING_SCRIPTED_BACK_END_H_
#define DEVICES_VIRTIO_FS_TESTING_SCRIPTED_BACK_END_H_

#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/unique_fd.h"
#include "devices/virtio/abi/vhost_user_abi.h"
#include "devices/virtio/testing/socket_pair.h"

namespace vmm {

// Serves its end of a connection on a thread of its own, until the front end closes the other.
class ScriptedBackEnd {
 public:
  struct Message {
    VhostUserHeader header;
    std::string payload;
    size_t descriptors = 0;

    VhostUserRequest request() const { return static_cast<VhostUserRequest>(header.request); }
    uint64_t number(size_t index = 0) const {  // the u64 at `index`
      uint64_t value = 0;
      if (payload.size() >= 8 * (index + 1)) std::memcpy(&value, payload.data() + 8 * index, 8);
      return value;
    }
    uint32_t word(size_t index) const {
      uint32_t value = 0;
      if (payload.size() >= 4 * (index + 1)) std::memcpy(&value, payload.data() + 4 * index, 4);
      return value;
    }
  };

  // What the test changes: all the bytes to send after a message; "" sends none.
  using Script = std::function<std::optional<std::string>(const Message&)>;

  explicit ScriptedBackEnd(Script script = nullptr) : script_(std::move(script)) {
    thread_ = std::thread([this] { Serve(); });
  }
  ~ScriptedBackEnd() {
    shutdown(sockets_.theirs.get(), SHUT_RDWR);
    thread_.join();
  }

  UniqueFd TakeSocket() { return std::move(sockets_.ours); }

  std::vector<Message> messages() const {
    std::lock_guard lock(mutex_);
    return messages_;
  }

  static std::string Reply(const Message& message, const std::string& payload) {
    const VhostUserHeader header = {message.header.request, kVhostUserVersion | kVhostUserReply,
                                    static_cast<uint32_t>(payload.size())};
    return StringOf(header) + payload;
  }

  static std::string LikeVirtiofsd(const Message& message) {
    switch (message.request()) {
      case VhostUserRequest::kGetFeatures: return Reply(message, StringOf(uint64_t{0x175000000}));
      case VhostUserRequest::kGetProtocolFeatures: return Reply(message, StringOf(uint64_t{0x8c2b}));
      case VhostUserRequest::kGetQueueNum: return Reply(message, StringOf(uint64_t{2}));
      case VhostUserRequest::kGetVringBase: {
        const VhostUserVringState state = {message.word(0), 100 + message.word(0)};
        return Reply(message, StringOf(state));
      }
      default: break;
    }
    const bool wants_reply = (message.header.flags & kVhostUserNeedReply) != 0;
    return wants_reply ? Reply(message, StringOf(uint64_t{0})) : "";
  }

 private:
  void Serve() {
    Message message;
    while (Receive(message)) {
      std::optional<std::string> answer = script_ ? script_(message) : std::nullopt;
      if (!answer.has_value()) answer = LikeVirtiofsd(message);
      {
        std::lock_guard lock(mutex_);
        messages_.push_back(message);
      }
      if (!answer->empty() && !sockets_.Say(*answer)) return;
    }
  }

  bool Receive(Message& message) {
    message.payload.clear();
    if (!ReceiveBytes(WritableBytesOf(message.header), message.descriptors)) return false;
    message.payload.resize(message.header.size);
    size_t none;
    return ReceiveBytes({reinterpret_cast<uint8_t*>(message.payload.data()), message.payload.size()}, none);
  }

  // Counts the descriptors that come along, and closes them.
  bool ReceiveBytes(std::span<uint8_t> out, size_t& descriptors) {
    descriptors = 0;
    while (!out.empty()) {
      iovec part = {out.data(), out.size()};
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kVhostUserMaxRegions)];
      msghdr message = {};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t got = recvmsg(sockets_.theirs.get(), &message, MSG_CMSG_CLOEXEC);
      if (got <= 0) return false;
      if (const cmsghdr* const rights = CMSG_FIRSTHDR(&message); rights != nullptr) {
        const size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        descriptors += count;
        for (size_t i = 0; i < count; ++i) {
          int fd;
          std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof fd, sizeof fd);
          UniqueFd closed(fd);
        }
      }
      out = out.subspan(static_cast<size_t>(got));
    }
    return true;
  }

  const Script script_;
  SocketPair sockets_;
  mutable std::mutex mutex_;  // guards messages_
  std::vector<Message> messages_;
  std::thread thread_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_FS_TESTING_SCRIPTED_BACK_END_H_
