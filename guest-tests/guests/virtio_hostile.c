// A driver that breaks the rules of virtqueues, one after the other, on the form that form= names. After each the
// device must say DEVICE_NEEDS_RESET, and after a reset it must work as if nothing had been.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/irqchip.h"
#include "guest-tests/lib/virtio.h"

#define NOWHERE 0xd0000000u  // the device's own registers
#define PAST_RAM 0x10000000000ull

static struct virtq queue;
static bool packed;
static uint8_t buffer[4096] __attribute__((aligned(4096)));
static struct virtq_desc table[16] __attribute__((aligned(16)));

static bool set_up(void) { return virtio_start(&queue, VIRTIO_F_INDIRECT, packed); }
static bool works(void) { return virtio_works(&queue, VIRTIO_F_INDIRECT, packed, buffer); }

static bool needs_reset_soon(void) {
  for (unsigned i = 0; i < 2000; ++i) {
    if (virtio_read(VIRTIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET) return true;
    wait_us(1000);
  }
  return false;
}

// Writes descriptor `at` in whichever form.
static void put(struct virtq_desc* at, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next, bool head) {
  at->addr = addr;
  at->len = len;
  at->a = packed ? 0 : flags;
  at->b = packed ? (uint16_t)(flags | (head ? PVIRTQ_AVAIL : 0)) : next;
}

// Makes the chain at descriptor 0 available: a packed one is so by its flags.
static void publish(uint16_t head) {
  if (!packed) {
    queue.driver[2] = head;
    __atomic_store_n(&queue.driver[1], 1, __ATOMIC_RELEASE);
  }
  virtio_notify();
}

static void one(uint64_t addr, uint32_t len, uint16_t flags) {
  put(&queue.desc[0], addr, len, flags, 0, true);
  publish(0);
}

static void buffer_in_registers(void) { one(NOWHERE, 64, VIRTQ_WRITE); }
static void buffer_past_ram(void) { one(PAST_RAM, 64, VIRTQ_WRITE); }
static void buffer_wraps(void) { one(~0ull - 8, 64, VIRTQ_WRITE); }
static void readable_after_writable(void) {
  put(&queue.desc[1], (uintptr_t)buffer, 8, 0, 0, false);
  put(&queue.desc[0], (uintptr_t)buffer, 8, VIRTQ_WRITE | VIRTQ_NEXT, 1, true);
  publish(0);
}
static void sum_of_lengths(void) {
  for (unsigned i = 0; i < VIRTIO_QUEUE_SIZE; ++i) {
    put(&queue.desc[i], 0, 0xffffffff, VIRTQ_WRITE | VIRTQ_NEXT, (uint16_t)(i + 1), true);
  }
  publish(0);
}
static void endless_chain(void) {
  for (unsigned i = 0; i < VIRTIO_QUEUE_SIZE; ++i) {
    put(&queue.desc[i], (uintptr_t)buffer, 8, VIRTQ_WRITE | VIRTQ_NEXT, (uint16_t)((i + 1) % VIRTIO_QUEUE_SIZE), true);
  }
  publish(0);
}
static void table_of_odd_length(void) { one((uintptr_t)table, 17, VIRTQ_INDIRECT); }
static void table_empty(void) { one((uintptr_t)table, 0, VIRTQ_INDIRECT); }
static void table_too_long(void) { one((uintptr_t)table, 16 * 65536, VIRTQ_INDIRECT); }
static void table_in_registers(void) { one(NOWHERE, 16, VIRTQ_INDIRECT); }
static void table_in_table(void) {
  put(&table[0], (uintptr_t)table, 16, VIRTQ_INDIRECT, 0, false);
  one((uintptr_t)table, 16, VIRTQ_INDIRECT);
}
static void table_and_next(void) { one((uintptr_t)table, 16, VIRTQ_INDIRECT | VIRTQ_NEXT); }
static void same_request_twice(void) {
  // Broken only while the first is in flight, which cannot be seen from here; so together with a bad one.
  put(&queue.desc[0], (uintptr_t)buffer, 8, VIRTQ_WRITE, 0, true);
  put(&queue.desc[1], PAST_RAM, 8, VIRTQ_WRITE, 0, true);
  if (!packed) {
    queue.driver[2] = 0;
    queue.driver[3] = 0;
    queue.driver[4] = 1;
    __atomic_store_n(&queue.driver[1], 3, __ATOMIC_RELEASE);
  }
  virtio_notify();
}

// Of the split form only.
static void head_past_queue(void) { publish(VIRTIO_QUEUE_SIZE); }
static void index_jumps(void) {
  __atomic_store_n(&queue.driver[1], VIRTIO_QUEUE_SIZE + 1, __ATOMIC_RELEASE);
  virtio_notify();
}
static void next_past_queue(void) {
  put(&queue.desc[0], (uintptr_t)buffer, 8, VIRTQ_WRITE | VIRTQ_NEXT, VIRTIO_QUEUE_SIZE, true);
  publish(0);
}
static void loop_in_table(void) {
  put(&table[0], (uintptr_t)buffer, 8, VIRTQ_WRITE | VIRTQ_NEXT, 1, false);
  put(&table[1], (uintptr_t)buffer, 8, VIRTQ_WRITE | VIRTQ_NEXT, 0, false);
  one((uintptr_t)table, 32, VIRTQ_INDIRECT);
}
static void next_past_table(void) {
  put(&table[0], (uintptr_t)buffer, 8, VIRTQ_WRITE | VIRTQ_NEXT, 2, false);
  one((uintptr_t)table, 32, VIRTQ_INDIRECT);
}

static const struct {
  const char* name;
  void (*break_it)(void);
  bool split_only;
} kRules[] = {
    {"a buffer in the device's own registers", buffer_in_registers, false},
    {"a buffer past RAM", buffer_past_ram, false},
    {"a buffer that wraps around", buffer_wraps, false},
    {"a buffer to read after one to write", readable_after_writable, false},
    {"lengths whose sum passes 2^32", sum_of_lengths, false},
    {"a chain without an end", endless_chain, false},
    {"an indirect table of an odd length", table_of_odd_length, false},
    {"an empty indirect table", table_empty, false},
    {"an indirect table that is too long", table_too_long, false},
    {"an indirect table in the device's registers", table_in_registers, false},
    {"an indirect table in an indirect table", table_in_table, false},
    {"INDIRECT and NEXT in one descriptor", table_and_next, false},
    {"a request offered twice", same_request_twice, false},
    {"a head past the queue", head_past_queue, true},
    {"an available index that jumps", index_jumps, true},
    {"a next past the queue", next_past_queue, true},
    {"a loop in an indirect table", loop_in_table, true},
    {"a next past the indirect table", next_past_table, true},
};

static void break_registers(void) {
  for (uint32_t size = 16; size != 0; size <<= 4) {
    if (size == VIRTIO_QUEUE_SIZE || size <= 64) continue;
    virtio_negotiate(0, packed);
    report(!virtio_set_queue(&queue, packed, size), "a queue that is too large is never ready");
    if (size > 0xfffffff) break;
  }
  virtio_negotiate(0, packed);
  virtio_set_queue(&queue, packed, VIRTIO_QUEUE_SIZE);
  virtio_driver_ok();
  virtio_write(VIRTIO_QUEUE_DESC, 0xd0000000);
  virtio_write(VIRTIO_QUEUE_NUM, 0xffffffff);
  virtio_write(VIRTIO_QUEUE_READY, 1);
  virtio_write(VIRTIO_QUEUE_NOTIFY, 0xffffffff);
  virtio_write(VIRTIO_QUEUE_SEL, 0xffffffff);
  virtio_write(VIRTIO_QUEUE_READY, 1);
  virtio_write(VIRTIO_QUEUE_SEL, 0);
  report(virtio_read(VIRTIO_STATUS) == VIRTIO_STATUS_DRIVER_OK, "writes after DRIVER_OK change nothing");
  report(works(), "and the device works");
}

int main(void) {
  packed = equal(option("form") ? option("form") : "split", "packed");
  report(works(), "the device works");
  for (unsigned i = 0; i < sizeof(kRules) / sizeof(kRules[0]); ++i) {
    if (packed && kRules[i].split_only) continue;
    memset(table, 0, sizeof(table));
    const bool up = set_up();
    kRules[i].break_it();
    report(up && needs_reset_soon(), kRules[i].name);
    report(works(), "  and after a reset the device works");
  }
  break_registers();
  return finish();
}
