// A network card with one pair of queues (virtio 1.2, section 5.1). No checksum or segmentation is left to the host:
// every frame in the rings is a whole Ethernet frame after a header of 12 bytes.
#ifndef DEVICES_VIRTIO_NET_VIRTIO_NET_H_
#define DEVICES_VIRTIO_NET_VIRTIO_NET_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "devices/virtio/net/frame_link.h"
#include "devices/virtio/virtio_device.h"

namespace vmm {

using MacAddress = std::array<uint8_t, 6>;

// Frames wait where they are: those of the host in the link until the guest gives room, one of the guest in here until
// the link takes it. The queues are not popped meanwhile. A frame is lost only if it is too short, too long, or larger
// than the guest's buffer for it.
//
// If the link fails, the card stays and no frame passes any more. Threads: see VirtioDevice.
class VirtioNet final : public VirtioDevice {
 public:
  // `mtu`: the largest packet, in bytes without the Ethernet header, 68 to 65535; the guest is asked to use it. 0: it
  // is not told.
  VirtioNet(MacAddress mac, uint16_t mtu, std::unique_ptr<FrameLink> link);

  std::string_view name() const override { return "virtio-net"; }
  uint32_t id() const override;
  uint64_t features() const override;
  std::span<const uint16_t> queue_sizes() const override;
  void ReadConfig(uint64_t offset, std::span<uint8_t> data) override;
  absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) override;
  void OnQueue(int index) override;
  void Drain() override;
  void Resume() override;
  void Reset() override;

 private:
  void OnLink(uint32_t events);
  void Transmit();
  void Receive();
  bool SendPending();
  // Copies `frame` into the guest's next buffer. False: the guest has given none.
  bool Deliver(std::span<const uint8_t> frame);
  void Watch();
  void Fail(const absl::Status& why);

  const MacAddress mac_;
  const uint16_t mtu_;
  const std::unique_ptr<FrameLink> link_;
  bool failed_ = false;

  Virtqueue* receiveq_ = nullptr;
  Virtqueue* transmitq_ = nullptr;
  IoLoop* loop_ = nullptr;
  bool paused_ = false;
  uint32_t watched_ = 0;  // what the loop waits for

  std::vector<uint8_t> tx_frame_;
  size_t tx_bytes_ = 0;                      // of the frame that the link has not taken yet; 0: none
  bool tx_busy_ = false;                     // the link is full
  bool rx_starved_ = false;                  // the guest has given no buffer
  std::optional<DescriptorChain> rx_chain_;  // popped, and not used yet
  std::vector<uint8_t> rx_frame_;            // from the link, without a buffer yet; empty: none
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_NET_VIRTIO_NET_H_
