// A virtqueue in its second form: one ring of descriptors, which driver and device write in turn (virtio 1.2, section
// 2.8).
#ifndef DEVICES_VIRTIO_PACKED_QUEUE_H_
#define DEVICES_VIRTIO_PACKED_QUEUE_H_

#include <optional>
#include <unordered_map>

#include "devices/virtio/chain_builder.h"
#include "devices/virtio/ring.h"

namespace vmm {

class PackedQueue final : public Ring {
 public:
  // Made by Ring::Create, which checked the three parts.
  PackedQueue(const Place& place, GuestMemory& memory, RingEvents& events, uint8_t* desc, const uint8_t* driver,
              uint8_t* device)
      : Ring(place, memory, events), desc_(desc), driver_(driver), device_(device) {}

  void Push(const DescriptorChain& chain, uint32_t written) override;

 protected:
  absl::StatusOr<std::optional<DescriptorChain>> Take() override;
  bool DriverWantsInterrupt() override;

 private:
  // A place in the ring, and the wrap counter that goes with it. Both begin as { 0, true }.
  struct Position {
    uint16_t index = 0;
    bool wrap = true;
    void Skip(uint16_t count, uint16_t size);
  };
  struct Found {
    uint16_t id = 0;
    uint16_t slots = 0;  // descriptors of the ring that it takes
  };

  bool IsAvailable() const;
  void AskForNotify(bool wanted);
  absl::StatusOr<Found> ReadChain(ChainBuilder& builder);
  absl::Status ReadTable(GuestAddr addr, uint32_t len, ChainBuilder& builder);

  uint8_t* const desc_;
  const uint8_t* const driver_;
  uint8_t* const device_;
  std::unordered_map<uint16_t, uint16_t> in_flight_;  // buffer id: slots
  uint32_t slots_in_flight_ = 0;
  Position avail_, used_;
  std::optional<uint16_t> interrupted_at_;  // used_.index at the last look at the driver's wish; none since it wrapped
  uint16_t pushed_since_ = 0;
  bool notify_wanted_ = true;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_PACKED_QUEUE_H_
