// Makes `count=` exits, each an OUT to a port without a device, and prints how many TSC ticks each took. For
// benchmarks/exits.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

static uint64_t ticks(void) {
  uint32_t low, high;
  asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
  return (uint64_t)high << 32 | low;
}

int main(void) {
  const uint64_t count = option_number("count", 20000);
  if (count == 0) return 2;
  for (uint64_t i = 0; i < count / 8; ++i) outb(PORT_NOBODY, 0);  // warms the caches
  const uint64_t start = ticks();
  for (uint64_t i = 0; i < count; ++i) outb(PORT_NOBODY, 0);
  print("# %lu ticks an exit\n", (ticks() - start) / count);
  return 0;
}
