// The guest's side of a vsock, without a guest: sends packets, and refills the receive queue as far as a test wants.
#ifndef DEVICES_VIRTIO_VSOCK_TESTING_VSOCK_GUEST_H_
#define DEVICES_VIRTIO_VSOCK_TESTING_VSOCK_GUEST_H_

#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "devices/virtio/testing/epoll_loop.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/vsock/virtio_vsock.h"

namespace vmm {

struct VsockPacket {
  VirtioVsockHdr header;
  std::string data;
};

// Used by one thread.
class VsockGuest {
 public:
  static constexpr size_t kBufferSize = 4096;

  explicit VsockGuest(VirtioVsock& device) : device_(device) { Boot(); }

  // A new driver on new queues.
  void Boot() {
    rx = std::make_unique<FakeQueue>();
    tx = std::make_unique<FakeQueue>();
    Virtqueue* const queues[] = {rx.get(), tx.get(), nullptr};
    device_.Activate(kVirtioVsockFStream, queues, loop).IgnoreError();
    buffers_.clear();
    sent_.clear();
    taken_ = 0;
  }

  void Refill(int count, size_t size = kBufferSize) {
    for (int i = 0; i < count; ++i) {
      std::string& buffer = buffers_.emplace_back(size, '?');
      rx->Offer({}, {{buffer.data(), buffer.size()}});
    }
    device_.OnQueue(0);
  }

  // Lets the device work, and returns what it sent since the last call.
  std::vector<VsockPacket> Take() {
    loop.RunUntilIdle();
    std::vector<VsockPacket> packets;
    for (; taken_ < rx->done().size(); ++taken_) {
      const FakeQueue::Done& done = rx->done()[taken_];
      const std::string& buffer = buffers_.at(done.chain);
      VsockPacket& packet = packets.emplace_back();
      std::memcpy(&packet.header, buffer.data(), sizeof packet.header);
      packet.data = buffer.substr(sizeof packet.header, done.written - sizeof packet.header);
    }
    return packets;
  }

  static VirtioVsockHdr Header(uint16_t op, uint32_t guest_port, uint32_t host_port) {
    VirtioVsockHdr header = {};
    header.src_cid = VirtioVsock::kGuestCid;
    header.dst_cid = kVsockHostCid;
    header.src_port = guest_port;
    header.dst_port = host_port;
    header.type = kVsockTypeStream;
    header.op = op;
    header.buf_alloc = 1 << 18;
    return header;
  }

  void Send(VirtioVsockHdr header, std::string data = "") {
    if (header.op == kVsockOpRw && header.len == 0) header.len = static_cast<uint32_t>(data.size());
    VsockPacket& packet = sent_.emplace_back(VsockPacket{header, std::move(data)});  // may be taken later
    tx->Offer({{&packet.header, sizeof header}, {packet.data.data(), packet.data.size()}}, {});
    device_.OnQueue(1);
  }

  EpollLoop loop;
  std::unique_ptr<FakeQueue> rx, tx;

 private:
  VirtioVsock& device_;
  std::deque<std::string> buffers_;  // by chain
  std::deque<VsockPacket> sent_;
  size_t taken_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_VSOCK_TESTING_VSOCK_GUEST_H_
