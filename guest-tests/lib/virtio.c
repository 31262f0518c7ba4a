#include "guest-tests/lib/virtio.h"

#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/irqchip.h"

uint32_t virtio_read(unsigned reg) { return *(volatile uint32_t*)(uintptr_t)(VIRTIO_BASE + reg); }
void virtio_write(unsigned reg, uint32_t value) { *(volatile uint32_t*)(uintptr_t)(VIRTIO_BASE + reg) = value; }

bool virtio_negotiate(uint64_t features, bool packed) {
  features |= VIRTIO_F_VERSION_1 | (packed ? VIRTIO_F_RING_PACKED : 0);
  virtio_write(VIRTIO_STATUS, 0);
  virtio_write(VIRTIO_STATUS, 1);
  virtio_write(VIRTIO_STATUS, 3);
  for (unsigned half = 0; half < 2; ++half) {
    virtio_write(VIRTIO_DRIVER_FEATURES_SEL, half);
    virtio_write(VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> (32 * half)));
  }
  virtio_write(VIRTIO_STATUS, VIRTIO_STATUS_FEATURES_OK);
  return virtio_read(VIRTIO_STATUS) == VIRTIO_STATUS_FEATURES_OK;
}

static void write_address(unsigned reg, const volatile void* address) {
  virtio_write(reg, (uint32_t)(uintptr_t)address);
  virtio_write(reg + 4, (uint32_t)((uintptr_t)address >> 32));
}

bool virtio_set_queue(struct virtq* queue, bool packed, uint32_t size) {
  memset(queue, 0, sizeof(*queue));
  queue->packed = packed;
  queue->wrap = queue->used_wrap = true;
  virtio_write(VIRTIO_QUEUE_SEL, 0);
  virtio_write(VIRTIO_QUEUE_NUM, size);
  write_address(VIRTIO_QUEUE_DESC, queue->desc);
  write_address(VIRTIO_QUEUE_DRIVER, queue->driver);
  write_address(VIRTIO_QUEUE_DEVICE, queue->device);
  virtio_write(VIRTIO_QUEUE_READY, 1);
  return virtio_read(VIRTIO_QUEUE_READY) == 1;
}

void virtio_driver_ok(void) { virtio_write(VIRTIO_STATUS, VIRTIO_STATUS_DRIVER_OK); }
void virtio_notify(void) { virtio_write(VIRTIO_QUEUE_NOTIFY, 0); }

void virtio_offer(struct virtq* queue, uint64_t addr, uint32_t len, uint16_t flags) {
  const uint16_t at = queue->next % VIRTIO_QUEUE_SIZE;
  struct virtq_desc* desc = &queue->desc[at];
  desc->addr = addr;
  desc->len = len;
  if (queue->packed) {
    desc->a = at;
    __atomic_store_n(&desc->b, (uint16_t)(flags | (queue->wrap ? PVIRTQ_AVAIL : PVIRTQ_USED)), __ATOMIC_RELEASE);
    if (at == VIRTIO_QUEUE_SIZE - 1) queue->wrap = !queue->wrap;
  } else {
    desc->a = flags;
    desc->b = 0;
    queue->driver[2 + at] = at;
    __atomic_store_n(&queue->driver[1], (uint16_t)(queue->next + 1), __ATOMIC_RELEASE);
  }
  ++queue->next;
  virtio_notify();
}

bool virtio_take(struct virtq* queue, uint32_t* len) {
  const uint16_t at = queue->used % VIRTIO_QUEUE_SIZE;
  if (queue->packed) {
    const uint16_t flags = __atomic_load_n(&queue->desc[at].b, __ATOMIC_ACQUIRE);
    const bool avail = flags & PVIRTQ_AVAIL, used = flags & PVIRTQ_USED;
    if (avail != queue->used_wrap || used != queue->used_wrap) return false;
    *len = queue->desc[at].len;
    if (at == VIRTIO_QUEUE_SIZE - 1) queue->used_wrap = !queue->used_wrap;
  } else {
    if (__atomic_load_n(&queue->device[1], __ATOMIC_ACQUIRE) == queue->used) return false;
    *len = queue->device[2 + 4 * at + 2] | (uint32_t)queue->device[2 + 4 * at + 3] << 16;
  }
  ++queue->used;
  return true;
}

bool virtio_start(struct virtq* queue, uint64_t features, bool packed) {
  if (!virtio_negotiate(features, packed) || !virtio_set_queue(queue, packed, VIRTIO_QUEUE_SIZE)) return false;
  virtio_driver_ok();
  return true;
}

bool virtio_works(struct virtq* queue, uint64_t features, bool packed, void* buffer) {
  uint32_t len = 0;
  if (!virtio_start(queue, features, packed)) return false;
  virtio_offer(queue, (uintptr_t)buffer, 64, VIRTQ_WRITE);
  for (unsigned i = 0; i < 2000; ++i) {
    if (virtio_take(queue, &len)) return len == 64;
    wait_us(1000);
  }
  return false;
}
