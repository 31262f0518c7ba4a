// The network device. Source: Virtual I/O Device (VIRTIO) 1.2, section 5.1. Field names are the specification's. All
// numbers are little endian.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_NET_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_NET_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint32_t kVirtioIdNet = 1;  // 5.1.1

// 5.1.2: the queues of a device without VIRTIO_NET_F_MQ and VIRTIO_NET_F_CTRL_VQ.
inline constexpr int kVirtioNetReceiveq = 0;
inline constexpr int kVirtioNetTransmitq = 1;

// 5.1.3 Feature bits.
inline constexpr uint64_t kVirtioNetFMtu = 1ull << 3;
inline constexpr uint64_t kVirtioNetFMac = 1ull << 5;

// 5.1.4 Device configuration layout, as far as the features above need it.
struct VirtioNetConfig {
  uint8_t mac[6];
  uint16_t status;               // with VIRTIO_NET_F_STATUS
  uint16_t max_virtqueue_pairs;  // with VIRTIO_NET_F_MQ or VIRTIO_NET_F_RSS
  uint16_t mtu;                  // with VIRTIO_NET_F_MTU
};
static_assert(sizeof(VirtioNetConfig) == 12);
static_assert(offsetof(VirtioNetConfig, status) == 6);
static_assert(offsetof(VirtioNetConfig, max_virtqueue_pairs) == 8);
static_assert(offsetof(VirtioNetConfig, mtu) == 10);

// 5.1.6: in front of each frame, in both directions.
struct VirtioNetHdr {
  uint8_t flags;
  uint8_t gso_type;
  uint16_t hdr_len;
  uint16_t gso_size;
  uint16_t csum_start;
  uint16_t csum_offset;
  uint16_t num_buffers;
};
static_assert(sizeof(VirtioNetHdr) == 12);
static_assert(offsetof(VirtioNetHdr, hdr_len) == 2);
static_assert(offsetof(VirtioNetHdr, num_buffers) == 10);

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_NET_ABI_H_
