// Virtqueues in guest memory. Source: Virtual I/O Device (VIRTIO) 1.2, sections 2.7 (split) and 2.8 (packed). Field
// names are the specification's. All numbers are little endian.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_RING_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_RING_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint32_t kVirtqMaxSize = 32768;  // 2.7 and 2.8: descriptors in a queue

// 2.7.5 The Virtqueue Descriptor Table.
struct VirtqDesc {
  uint64_t addr;
  uint32_t len;
  uint16_t flags;
  uint16_t next;
};
static_assert(sizeof(VirtqDesc) == 16);
static_assert(offsetof(VirtqDesc, len) == 8);
static_assert(offsetof(VirtqDesc, flags) == 12);
static_assert(offsetof(VirtqDesc, next) == 14);

// Flags of both forms.
inline constexpr uint16_t kVirtqDescFNext = 1;
inline constexpr uint16_t kVirtqDescFWrite = 2;
inline constexpr uint16_t kVirtqDescFIndirect = 4;

// 2.7.6 The Virtqueue Available Ring: le16 flags, le16 idx, le16 ring[size], le16 used_event.
inline constexpr uint64_t kVirtqAvailIdx = 2;
inline constexpr uint64_t kVirtqAvailRing = 4;
inline constexpr uint64_t VirtqAvailBytes(uint64_t size) { return 6 + 2 * size; }
inline constexpr uint16_t kVirtqAvailFNoInterrupt = 1;

// 2.7.8 The Virtqueue Used Ring: le16 flags, le16 idx, struct virtq_used_elem ring[size], le16 avail_event.
struct VirtqUsedElem {
  uint32_t id;
  uint32_t len;
};
static_assert(sizeof(VirtqUsedElem) == 8);
inline constexpr uint64_t kVirtqUsedIdx = 2;
inline constexpr uint64_t kVirtqUsedRing = 4;
inline constexpr uint64_t VirtqUsedBytes(uint64_t size) { return 6 + 8 * size; }
inline constexpr uint16_t kVirtqUsedFNoNotify = 1;

// 2.7: alignment of the three parts.
inline constexpr uint64_t kVirtqDescAlign = 16;
inline constexpr uint64_t kVirtqAvailAlign = 2;
inline constexpr uint64_t kVirtqUsedAlign = 4;

// 2.8.13 The Virtqueue Descriptor Ring of a packed queue.
struct PvirtqDesc {
  uint64_t addr;
  uint32_t len;
  uint16_t id;
  uint16_t flags;
};
static_assert(sizeof(PvirtqDesc) == 16);
static_assert(offsetof(PvirtqDesc, id) == 12);
static_assert(offsetof(PvirtqDesc, flags) == 14);
inline constexpr uint16_t kPvirtqDescFAvail = 1u << 7;
inline constexpr uint16_t kPvirtqDescFUsed = 1u << 15;

// 2.8.14 Event Suppression Structure: le16 desc, of which bit 15 is the wrap counter; le16 flags.
inline constexpr uint64_t kPvirtqEventDesc = 0;
inline constexpr uint64_t kPvirtqEventFlags = 2;
inline constexpr uint64_t kPvirtqEventBytes = 4;
inline constexpr uint64_t kPvirtqEventAlign = 4;
inline constexpr uint16_t kPvirtqEventWrap = 1u << 15;
inline constexpr uint16_t kPvirtqEventEnable = 0;
inline constexpr uint16_t kPvirtqEventDisable = 1;
inline constexpr uint16_t kPvirtqEventOneDesc = 2;  // RING_EVENT_FLAGS_DESC

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_RING_ABI_H_
