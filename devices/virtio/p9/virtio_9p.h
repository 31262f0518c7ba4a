// The 9P transport device as a bridge: each request chain is one message to a server process and its answer.
#ifndef DEVICES_VIRTIO_P9_VIRTIO_9P_H_
#define DEVICES_VIRTIO_P9_VIRTIO_9P_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "devices/virtio/virtio_device.h"

namespace vmm {

// The server's answers may come in any order; the tag of a message finds its chain. What a message says is between the
// guest and the server. Here only its size and tag count: a guest that breaks those stops its queue, a server that
// breaks them is not listened to any more.
//
// Threads: see VirtioDevice.
class Virtio9p final : public VirtioDevice {
 public:
  static constexpr size_t kMaxMessageBytes = (1u << 20) + 4096;

  // What the server hears of a mount (Tattach), whatever the guest says.
  struct Attach {
    std::string folder;  // aname, if the guest names nothing or "/": Linux names nothing unless it is told to
    uint32_t user = 0;   // n_uname; diod serves its own user only, unless it is root
  };

  // `tag`: 1 to 256 bytes, the name to mount. `socket`: a stream socket to a 9P server.
  Virtio9p(std::string tag, Attach attach, UniqueFd socket);

  std::string_view name() const override { return "virtio-9p"; }
  uint32_t id() const override;
  uint64_t features() const override;
  std::span<const uint16_t> queue_sizes() const override;
  void ReadConfig(uint64_t offset, std::span<uint8_t> data) override;
  absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) override;
  void OnQueue(int index) override;
  void Drain() override;
  void Resume() override;
  void Reset() override;
  std::vector<RequestInFlight> InFlight() const override;

 private:
  struct Request {
    uint8_t type;
    DescriptorChain chain;
  };

  void OnSocket(uint32_t events);
  void TakeRequests();
  // Puts the message of `chain` into out_. False: the queue cannot go on.
  bool Take(DescriptorChain chain);
  void RewriteAttach();
  bool Flush();
  void ReadAnswers();
  bool TakeAnswers();
  void Answer(Request request, std::span<const uint8_t> message);
  void Watch();
  void Fail(const absl::Status& why);

  const std::string tag_;
  const Attach attach_;
  const UniqueFd socket_;
  bool failed_ = false;

  Virtqueue* queue_ = nullptr;
  IoLoop* loop_ = nullptr;
  bool paused_ = false;
  uint32_t watched_ = 0;  // what the loop waits for

  // Of the stream, so they outlive a reset: the server still gets whole messages, and its late answers are known.
  std::vector<uint8_t> out_;
  size_t out_sent_ = 0;
  std::vector<uint8_t> in_;
  std::set<uint16_t> stale_;  // tags of requests from before a reset that the server still works on

  mutable std::mutex mutex_;  // guards requests_, of which InFlight() tells on any thread
  std::map<uint16_t, Request> requests_;
  std::optional<DescriptorChain> waiting_;  // popped; its tag is still taken by a stale request
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_P9_VIRTIO_9P_H_
