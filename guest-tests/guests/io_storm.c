// Two or more CPUs at once write and read at random: every port with a device, fw_cfg's transfers, and the registers of
// virtio devices. `seed=` and `steps=` (of each CPU) say which. What would end the machine is left out: a reset, a
// power off, a panic, the debug exit, and interrupts sent by the APICs.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/smp.h"

#define PORT_I8042 0x64
#define PORT_FW_CFG 0x510
#define PORT_FW_CFG_DMA 0x514
#define VIRTIO_FIRST 0xd0000000u
#define VIRTIO_QUEUE_ADDRESSES 0x80  // to 0xa7, the low halves at each 16th byte
#define NOTHING_THERE 0xc1000000u

static unsigned done = 1;  // the first CPU counts itself when it has ended
static uint64_t steps;
static uint8_t scratch[64 << 10] __attribute__((aligned(4096)));  // where devices may write

static uint64_t next(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state * 0x2545f4914f6cdd1dull;
}

static uint32_t somewhere(uint64_t* state) { return (uint32_t)(uintptr_t)scratch + (next(state) & 0xeff0); }

// Returns `value`, or one that leaves the machine running. False: there is none.
static bool harmless(uint16_t port, uint32_t* value) {
  switch (port) {
    case PORT_I8042: return (*value & 0xf0) != 0xf0;  // pulses of the reset line
    case PORT_PVPANIC: *value &= 0xf8; return true;
    case PORT_PM1_CONTROL: *value &= ~(1u << 13); return true;  // SLP_EN
    case PORT_PM1_CONTROL + 1: *value &= ~(1u << 5); return true;
  }
  return port != PORT_RESET && (port < PORT_DEBUG_EXIT || port > PORT_DEBUG_EXIT + 3);
}

static void port_access(uint64_t* state) {
  static const struct {
    uint16_t first, count;
  } devices[] = {{0x60, 5},  {0x70, 2},  {0xe9, 1},   {0xf4, 4},  {0x3f8, 8},  {0x441, 3},
                 {0x505, 4}, {0x510, 4}, {0x600, 12}, {0xcf9, 1}, {0x5658, 4}, {0x1234, 4}};
  const uint64_t random = next(state);
  const unsigned which = random % (sizeof(devices) / sizeof(*devices));
  const uint16_t port = (uint16_t)(devices[which].first + (random >> 8) % devices[which].count);
  uint32_t value = (uint32_t)(random >> 32);
  switch ((random >> 16) % 6) {
    case 0: inb(port); return;
    case 1: inw(port); return;
    case 2: inl(port); return;
  }
  if (!harmless(port, &value)) return;
  switch ((random >> 16) % 6) {
    case 3: outb(port, (uint8_t)value); return;
    case 4: outw(port, (uint16_t)value); return;
    case 5: outl(port, value); return;
  }
}

// A request to fw_cfg, whose buffer is ours.
static void transfer(uint64_t* state) {
  struct __attribute__((packed)) {
    uint32_t control, length;
    uint64_t address;
  } request;
  const uint64_t random = next(state);
  request.control = __builtin_bswap32((uint32_t)(random & 0x3f003f));
  request.length = __builtin_bswap32((uint32_t)(random >> 40 & 0xfff));
  request.address = __builtin_bswap64((random >> 60) == 0 ? next(state) : somewhere(state) & ~0x1000u);
  const uint32_t at = somewhere(state);
  memcpy((void*)(uintptr_t)at, &request, sizeof(request));
  outl(PORT_FW_CFG_DMA, 0);
  outl(PORT_FW_CFG_DMA + 4, __builtin_bswap32(at));
}

static void memory_access(uint64_t* state) {
  const uint64_t random = next(state);
  uint32_t offset = (uint32_t)(random >> 8 & 0x1ff);
  uint32_t value = (uint32_t)(random >> 32);
  uintptr_t at = VIRTIO_FIRST + (random >> 20) % 3 * 0x1000;
  if (random % 16 == 0) at = NOTHING_THERE;
  if (random % 4 == 1) offset = 0x70, value = (uint32_t)((random >> 32) % 16);  // status
  if (random % 2 == 0) offset &= ~3u;
  const bool queue = offset >= VIRTIO_QUEUE_ADDRESSES && offset < VIRTIO_QUEUE_ADDRESSES + 0x28;
  if (queue) value = (offset & 4) ? 0 : somewhere(state);
  at += offset;
  switch ((random >> 16) % 4) {
    case 0: (void)*(volatile uint32_t*)at; return;
    case 1: (void)*(volatile uint8_t*)at; return;
    case 2: *(volatile uint32_t*)at = value; return;
    case 3:
      if (!queue) *(volatile uint8_t*)at = (uint8_t)value;
      return;
  }
}

static void storm(unsigned cpu) {
  uint64_t state = option_number("seed", 1) * 0x9e3779b97f4a7c15ull + cpu + 1;
  for (uint64_t step = 0; step < steps; ++step) {
    const uint64_t what = next(&state) % 8;
    if (what < 4) {
      port_access(&state);
    } else if (what == 4) {
      transfer(&state);
    } else {
      memory_access(&state);
    }
  }
  __atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
}

static void storm_and_sleep(unsigned cpu) {
  storm(cpu);
  for (;;) asm volatile("cli; hlt");
}

int main(void) {
  steps = option_number("steps", 10000);
  const unsigned cpus = start_cpus(storm_and_sleep);
  storm(0);
  while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < cpus + 1) pause();
  print("\n# the storm is over\n");
  report(true, "the machine still runs");
  return finish();
}
