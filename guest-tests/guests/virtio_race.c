// While the device reads descriptors and indirect tables, a second CPU changes them: between buffers that are allowed
// and such that are not, and between lengths that end in RAM and past it. The device takes what it judged or says
// DEVICE_NEEDS_RESET. It never writes elsewhere, and works when the second CPU has stopped.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/smp.h"
#include "guest-tests/lib/virtio.h"

#define ROUNDS 200
#define REGISTERS 0xd0000000u

static struct virtq queue;
static bool packed;
static uint8_t buffer[4096] __attribute__((aligned(4096)));
static uint8_t behind[4096] __attribute__((aligned(4096)));  // no descriptor names it
static struct virtq_desc table[4] __attribute__((aligned(16)));
static uint64_t last_page;  // of RAM

enum { GO, STOP, STOPPED };
static int racer = STOPPED;

static void change(struct virtq_desc* at, unsigned turn) {
  volatile struct virtq_desc* desc = at;
  switch (turn % 6) {
    case 0: desc->addr = (uintptr_t)buffer; break;
    case 1: desc->len = 64; break;
    case 2: desc->addr = last_page; break;
    case 3: desc->len = 0x2000; break;  // from last_page on: past RAM
    case 4: desc->addr = REGISTERS; break;
    case 5: desc->len = 0xffffffff; break;
  }
}

static void race(unsigned cpu) {
  (void)cpu;
  for (unsigned turn = 0;; ++turn) {
    while (__atomic_load_n(&racer, __ATOMIC_ACQUIRE) == STOPPED) pause();
    if (__atomic_load_n(&racer, __ATOMIC_ACQUIRE) == STOP) {
      __atomic_store_n(&racer, STOPPED, __ATOMIC_RELEASE);
      continue;
    }
    change(&queue.desc[turn / 6 % 3], turn);
    change(&table[turn / 6 % 4], turn);
    // NEXT, WRITE and INDIRECT come and go, too.
    volatile uint16_t* flags = packed ? &table[turn % 4].b : &table[turn % 4].a;
    *flags = (uint16_t)(VIRTQ_WRITE | (turn & 8 ? VIRTQ_NEXT : 0) | (turn & 64 ? VIRTQ_INDIRECT : 0));
  }
}

static void stop_racer(void) {
  int go = GO;
  if (!__atomic_compare_exchange_n(&racer, &go, STOP, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return;
  while (__atomic_load_n(&racer, __ATOMIC_ACQUIRE) != STOPPED) pause();
}

// Offers requests until the device wants a reset, or has had a ring's worth.
static bool one_round(void) {
  for (unsigned i = 0; i < VIRTIO_QUEUE_SIZE; ++i) {
    const bool indirect = i & 1;
    virtio_offer(&queue, indirect ? (uintptr_t)table : (uintptr_t)buffer, indirect ? sizeof(table) : 64,
                 indirect ? VIRTQ_INDIRECT : VIRTQ_WRITE);
    if (virtio_read(VIRTIO_STATUS) & VIRTIO_STATUS_NEEDS_RESET) return true;
  }
  return false;
}

int main(void) {
  packed = equal(option("form") ? option("form") : "split", "packed");
  last_page = option_number("memory", 64) * 1024 * 1024 - 4096;
  memset(behind, 0x5a, sizeof(behind));
  report(start_cpus(race) == 2, "there is a second CPU");
  unsigned resets = 0;
  bool always_up = true;
  for (unsigned i = 0; i < ROUNDS; ++i) {
    always_up &= virtio_start(&queue, VIRTIO_F_INDIRECT, packed);
    __atomic_store_n(&racer, GO, __ATOMIC_RELEASE);
    resets += one_round();
    stop_racer();
  }
  report(always_up, "a reset brings the device back each time");
  print("# it wanted a reset in %u of %u rounds\n", resets, ROUNDS);
  report(virtio_works(&queue, VIRTIO_F_INDIRECT, packed, buffer),
         "and the device works when the second CPU has stopped");
  bool intact = true;
  for (unsigned i = 0; i < sizeof(behind); ++i) intact &= behind[i] == 0x5a;
  report(intact, "it wrote to no memory but what was named");
  return finish();
}
