// The block device as virtio 1.2 defines it, section 5.2.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_BLK_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_BLK_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint32_t kVirtioIdBlock = 2;

// Feature bits (5.2.3).
inline constexpr uint64_t kVirtioBlkFSegMax = 1ull << 2;
inline constexpr uint64_t kVirtioBlkFRo = 1ull << 5;
inline constexpr uint64_t kVirtioBlkFBlkSize = 1ull << 6;
inline constexpr uint64_t kVirtioBlkFFlush = 1ull << 9;
inline constexpr uint64_t kVirtioBlkFDiscard = 1ull << 13;
inline constexpr uint64_t kVirtioBlkFWriteZeroes = 1ull << 14;

// Configuration space (5.2.4).
struct VirtioBlkConfig {
  uint64_t capacity;  // in sectors of 512 bytes
  uint32_t size_max;
  uint32_t seg_max;
  struct {
    uint16_t cylinders;
    uint8_t heads;
    uint8_t sectors;
  } geometry;
  uint32_t blk_size;
  struct {
    uint8_t physical_block_exp;
    uint8_t alignment_offset;
    uint16_t min_io_size;
    uint32_t opt_io_size;
  } topology;
  uint8_t writeback;
  uint8_t unused0;
  uint16_t num_queues;
  uint32_t max_discard_sectors;
  uint32_t max_discard_seg;
  uint32_t discard_sector_alignment;
  uint32_t max_write_zeroes_sectors;
  uint32_t max_write_zeroes_seg;
  uint8_t write_zeroes_may_unmap;
  uint8_t unused1[3];
};
static_assert(offsetof(VirtioBlkConfig, seg_max) == 12);
static_assert(offsetof(VirtioBlkConfig, blk_size) == 20);
static_assert(offsetof(VirtioBlkConfig, writeback) == 32);
static_assert(offsetof(VirtioBlkConfig, max_discard_sectors) == 36);
static_assert(offsetof(VirtioBlkConfig, write_zeroes_may_unmap) == 56);
static_assert(sizeof(VirtioBlkConfig) == 64);  // 60, padded; what follows is for features that we do not offer

// A request: this header, then data, then one byte of status (5.2.6).
struct VirtioBlkReq {
  uint32_t type;
  uint32_t reserved;
  uint64_t sector;
};
static_assert(sizeof(VirtioBlkReq) == 16 && offsetof(VirtioBlkReq, sector) == 8);

inline constexpr uint32_t kVirtioBlkTIn = 0;
inline constexpr uint32_t kVirtioBlkTOut = 1;
inline constexpr uint32_t kVirtioBlkTFlush = 4;
inline constexpr uint32_t kVirtioBlkTGetId = 8;
inline constexpr uint32_t kVirtioBlkTDiscard = 11;
inline constexpr uint32_t kVirtioBlkTWriteZeroes = 13;

inline constexpr size_t kVirtioBlkIdBytes = 20;  // of GET_ID, without a NUL if it is as long

// The data of DISCARD and WRITE_ZEROES: any number of these.
struct VirtioBlkDiscardWriteZeroes {
  uint64_t sector;
  uint32_t num_sectors;
  uint32_t flags;
};
static_assert(sizeof(VirtioBlkDiscardWriteZeroes) == 16);
inline constexpr uint32_t kVirtioBlkUnmap = 1u << 0;  // flags; the others are reserved

inline constexpr uint8_t kVirtioBlkSOk = 0;
inline constexpr uint8_t kVirtioBlkSIoErr = 1;
inline constexpr uint8_t kVirtioBlkSUnsupp = 2;

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_BLK_ABI_H_
