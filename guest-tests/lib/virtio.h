// A driver of the machine's first virtio device, the entropy source: virtio-mmio and both forms of a virtqueue, as far
// as guests need them. The names are those of VIRTIO 1.2, section 4.2.2 and 2.7, 2.8.
#ifndef GUEST_TESTS_LIB_VIRTIO_H_
#define GUEST_TESTS_LIB_VIRTIO_H_

#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_BASE 0xd0000000u
#define VIRTIO_GSI 5

#define VIRTIO_QUEUE_SIZE 8

enum {
  VIRTIO_MAGIC = 0x000,
  VIRTIO_VERSION = 0x004,
  VIRTIO_DEVICE_ID = 0x008,
  VIRTIO_DEVICE_FEATURES = 0x010,
  VIRTIO_DEVICE_FEATURES_SEL = 0x014,
  VIRTIO_DRIVER_FEATURES = 0x020,
  VIRTIO_DRIVER_FEATURES_SEL = 0x024,
  VIRTIO_QUEUE_SEL = 0x030,
  VIRTIO_QUEUE_NUM_MAX = 0x034,
  VIRTIO_QUEUE_NUM = 0x038,
  VIRTIO_QUEUE_READY = 0x044,
  VIRTIO_QUEUE_NOTIFY = 0x050,
  VIRTIO_INTERRUPT_STATUS = 0x060,
  VIRTIO_INTERRUPT_ACK = 0x064,
  VIRTIO_STATUS = 0x070,
  VIRTIO_QUEUE_DESC = 0x080,
  VIRTIO_QUEUE_DRIVER = 0x090,
  VIRTIO_QUEUE_DEVICE = 0x0a0,
};

#define VIRTIO_STATUS_FEATURES_OK 11  // ACKNOWLEDGE, DRIVER, FEATURES_OK
#define VIRTIO_STATUS_DRIVER_OK 15
#define VIRTIO_STATUS_NEEDS_RESET 64

#define VIRTIO_F_INDIRECT (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_RING_PACKED (1ull << 34)

#define VIRTQ_NEXT 1
#define VIRTQ_WRITE 2
#define VIRTQ_INDIRECT 4
#define PVIRTQ_AVAIL (1u << 7)
#define PVIRTQ_USED (1u << 15)

// Both forms have 16 bytes: in the split one `a` holds the flags and `b` next, in the packed one the id and the flags.
struct virtq_desc {
  uint64_t addr;
  uint32_t len;
  uint16_t a, b;
};

struct virtq {
  struct virtq_desc desc[VIRTIO_QUEUE_SIZE] __attribute__((aligned(16)));
  volatile uint16_t driver[2 + VIRTIO_QUEUE_SIZE + 2] __attribute__((aligned(4)));      // split: flags, idx, ring
  volatile uint16_t device[2 + 4 * VIRTIO_QUEUE_SIZE + 2] __attribute__((aligned(4)));  // split: flags, idx, ring
  bool packed, wrap, used_wrap;
  uint16_t next, used;  // places of the next request and the next answer
};

uint32_t virtio_read(unsigned reg);
void virtio_write(unsigned reg, uint32_t value);

// Resets the device and accepts VERSION_1, `features` and, for `packed`, RING_PACKED. False: the device refuses.
bool virtio_negotiate(uint64_t features, bool packed);

// Clears `queue` and makes it queue 0, with `size` descriptors. Returns QueueReady.
bool virtio_set_queue(struct virtq* queue, bool packed, uint32_t size);
void virtio_driver_ok(void);

// Makes one buffer available, for the device to write if `flags` has VIRTQ_WRITE, and notifies.
void virtio_offer(struct virtq* queue, uint64_t addr, uint32_t len, uint16_t flags);
void virtio_notify(void);

// The three above, in this order, with a whole queue. False: the device refuses.
bool virtio_start(struct virtq* queue, uint64_t features, bool packed);

// True if the device, started anew, fills 64 bytes at `buffer` within two seconds.
bool virtio_works(struct virtq* queue, uint64_t features, bool packed, void* buffer);

// True if an answer has come; *len is then its length.
bool virtio_take(struct virtq* queue, uint32_t* len);

#endif  // GUEST_TESTS_LIB_VIRTIO_H_
