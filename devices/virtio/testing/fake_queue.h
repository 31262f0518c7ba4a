// A virtqueue without a ring, for tests of devices: the test is the driver.
//
//   FakeQueue queue;
//   queue.Offer({header, data}, {&room, &status});
//   device.OnQueue(0);
//   EXPECT_EQ(queue.done().at(0).written, 513);
#ifndef DEVICES_VIRTIO_TESTING_FAKE_QUEUE_H_
#define DEVICES_VIRTIO_TESTING_FAKE_QUEUE_H_

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "devices/virtio/virtqueue.h"

namespace vmm {

// Used by one thread.
class FakeQueue final : public Virtqueue {
 public:
  struct Done {
    uint16_t chain;
    uint32_t written;
  };

  // Makes a request available whose buffers are those bytes, which must stay where they are. Returns its id.
  uint16_t Offer(std::vector<iovec> readable, std::vector<iovec> writable) {
    const uint16_t id = next_id_++;
    offered_.emplace_back(id, std::move(readable), std::move(writable));
    return id;
  }

  const std::vector<Done>& done() const { return done_; }  // given back, in that order
  int interrupts() const { return interrupts_; }
  const absl::Status& why_broken() const { return why_broken_; }

  std::optional<DescriptorChain> Pop() override {
    if (offered_.empty() || broken()) return std::nullopt;
    DescriptorChain chain = std::move(offered_.front());
    offered_.pop_front();
    ++popped_;
    return chain;
  }
  void Push(const DescriptorChain& chain, uint32_t written) override { done_.push_back({chain.id(), written}); }
  void Interrupt() override { ++interrupts_; }
  void Break(const absl::Status& why) override { why_broken_ = why; }
  bool broken() const override { return !why_broken_.ok(); }
  const QueueLayout& layout() const override { return layout_; }
  Progress progress() const override { return {.popped = popped_, .pushed = done_.size()}; }

 private:
  std::deque<DescriptorChain> offered_;
  std::vector<Done> done_;
  int interrupts_ = 0;
  uint16_t next_id_ = 0;
  uint64_t popped_ = 0;
  absl::Status why_broken_;
  QueueLayout layout_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_TESTING_FAKE_QUEUE_H_
