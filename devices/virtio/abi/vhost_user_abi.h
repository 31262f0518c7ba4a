// The messages between a VMM (front end) and a process that works on virtqueues (back end), on a Unix stream socket.
// Source: QEMU's docs/interop/vhost-user.rst; its section names stand at each part. Numbers are in host byte order.
#ifndef DEVICES_VIRTIO_ABI_VHOST_USER_ABI_H_
#define DEVICES_VIRTIO_ABI_VHOST_USER_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// "Header".
struct VhostUserHeader {
  uint32_t request;
  uint32_t flags;
  uint32_t size;  // of the payload, in bytes
};
static_assert(sizeof(VhostUserHeader) == 12);
inline constexpr uint32_t kVhostUserVersionMask = 3;
inline constexpr uint32_t kVhostUserVersion = 1;
inline constexpr uint32_t kVhostUserReply = 1u << 2;
inline constexpr uint32_t kVhostUserNeedReply = 1u << 3;

// "Front-end message types", those that we send.
enum class VhostUserRequest : uint32_t {
  kGetFeatures = 1,
  kSetFeatures = 2,
  kSetOwner = 3,
  kSetMemTable = 5,
  kSetVringNum = 8,
  kSetVringAddr = 9,
  kSetVringBase = 10,
  kGetVringBase = 11,
  kSetVringKick = 12,
  kSetVringCall = 13,
  kGetProtocolFeatures = 15,
  kSetProtocolFeatures = 16,
  kGetQueueNum = 17,
  kSetVringEnable = 18,
};

// Among the feature bits: the back end knows protocol features.
inline constexpr uint64_t kVhostUserFProtocolFeatures = 1ull << 30;

// "Protocol features".
inline constexpr uint64_t kVhostUserProtocolFMq = 1ull << 0;
inline constexpr uint64_t kVhostUserProtocolFReplyAck = 1ull << 3;

// "A vring state description": {index, num}.
struct VhostUserVringState {
  uint32_t index;
  uint32_t num;
};
static_assert(sizeof(VhostUserVringState) == 8);

// "A vring address description". The addresses are user addresses: those of the memory table below.
struct VhostUserVringAddr {
  uint32_t index;
  uint32_t flags;
  uint64_t descriptor;
  uint64_t used;
  uint64_t available;
  uint64_t log;
};
static_assert(sizeof(VhostUserVringAddr) == 40);
static_assert(offsetof(VhostUserVringAddr, used) == 16);
static_assert(offsetof(VhostUserVringAddr, available) == 24);

// "Memory regions description". One descriptor for each region goes with the message.
struct VhostUserMemoryRegion {
  uint64_t guest_address;
  uint64_t size;
  uint64_t user_address;
  uint64_t mmap_offset;
};
static_assert(sizeof(VhostUserMemoryRegion) == 32);
inline constexpr size_t kVhostUserMaxRegions = 8;
struct VhostUserMemory {
  uint32_t nregions;
  uint32_t padding;
  VhostUserMemoryRegion regions[kVhostUserMaxRegions];
};
static_assert(offsetof(VhostUserMemory, regions) == 8);

// SET_VRING_KICK and SET_VRING_CALL: a u64 with the queue's index, and a descriptor.
inline constexpr uint64_t kVhostUserVringIndexMask = 0xff;

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VHOST_USER_ABI_H_
