// The socket device as virtio 1.2 defines it, section 5.10.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_VSOCK_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_VSOCK_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint32_t kVirtioIdVsock = 19;

inline constexpr uint64_t kVirtioVsockFStream = 1ull << 0;

struct VirtioVsockConfig {
  uint64_t guest_cid;
};
static_assert(sizeof(VirtioVsockConfig) == 8);

inline constexpr uint64_t kVsockHostCid = 2;

// Before each packet (5.10.6).
struct __attribute__((packed)) VirtioVsockHdr {
  uint64_t src_cid;
  uint64_t dst_cid;
  uint32_t src_port;
  uint32_t dst_port;
  uint32_t len;  // bytes of data after this header
  uint16_t type;
  uint16_t op;
  uint32_t flags;
  uint32_t buf_alloc;  // the sender's receive buffer, in bytes
  uint32_t fwd_cnt;    // bytes that the sender took out of it so far, modulo 2^32
};
static_assert(sizeof(VirtioVsockHdr) == 44);
static_assert(offsetof(VirtioVsockHdr, type) == 28);
static_assert(offsetof(VirtioVsockHdr, fwd_cnt) == 40);

inline constexpr uint16_t kVsockTypeStream = 1;

inline constexpr uint16_t kVsockOpRequest = 1;
inline constexpr uint16_t kVsockOpResponse = 2;
inline constexpr uint16_t kVsockOpRst = 3;
inline constexpr uint16_t kVsockOpShutdown = 4;
inline constexpr uint16_t kVsockOpRw = 5;
inline constexpr uint16_t kVsockOpCreditUpdate = 6;
inline constexpr uint16_t kVsockOpCreditRequest = 7;

// Flags of SHUTDOWN: the sender will receive, or send, no more.
inline constexpr uint32_t kVsockShutdownRcv = 1u << 0;
inline constexpr uint32_t kVsockShutdownSend = 1u << 1;
inline constexpr uint32_t kVsockShutdownBoth = kVsockShutdownRcv | kVsockShutdownSend;

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_VSOCK_ABI_H_
