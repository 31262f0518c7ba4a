// A virtqueue in its first form: a descriptor table, a ring of available heads, a ring of used ones (virtio 1.2,
// section 2.7).
#ifndef DEVICES_VIRTIO_SPLIT_QUEUE_H_
#define DEVICES_VIRTIO_SPLIT_QUEUE_H_

#include <optional>
#include <vector>

#include "devices/virtio/chain_builder.h"
#include "devices/virtio/ring.h"

namespace vmm {

class SplitQueue final : public Ring {
 public:
  // Made by Ring::Create, which checked the three parts.
  SplitQueue(const Place& place, GuestMemory& memory, RingEvents& events, const uint8_t* desc, const uint8_t* avail,
             uint8_t* used);

  void Push(const DescriptorChain& chain, uint32_t written) override;

 protected:
  absl::StatusOr<std::optional<DescriptorChain>> Take() override;
  bool DriverWantsInterrupt() override;

 private:
  // How many heads wait in the available ring. An error if more than the ring holds.
  absl::StatusOr<uint16_t> CountAvailable();
  void AskForNotify(bool wanted);
  absl::Status ReadChain(uint16_t head, ChainBuilder& builder);
  absl::Status ReadTable(GuestAddr addr, uint32_t len, ChainBuilder& builder);

  const uint8_t* const desc_;
  const uint8_t* const avail_;
  uint8_t* const used_;
  std::vector<bool> in_flight_;  // by head
  uint16_t next_avail_ = 0;
  uint16_t next_used_ = 0;
  uint16_t interrupted_at_ = 0;  // next_used_ at the last look at the driver's wish
  bool notify_wanted_ = true;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_SPLIT_QUEUE_H_
