// Starts the ib700 watchdog with two seconds and feeds it `feeds=` times, every half second. Then it stops it, or
// stands still, by `then=`.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"

#define TWO_SECONDS 14

static void wait_ms(uint32_t ms) {
  const uint32_t start = inl(PORT_PM_TIMER);
  while (((inl(PORT_PM_TIMER) - start) & 0xffffff) < ms * 3580) {
  }
}

static void on_nmi(struct interrupt_frame* frame) {
  (void)frame;
  serial_print("# an NMI came\n");
}

int main(void) {
  on_interrupt(2, on_nmi);
  for (uint64_t feeds = option_number("feeds", 1); feeds > 0; --feeds) {
    outb(PORT_WATCHDOG_START, TWO_SECONDS);
    wait_ms(500);
  }
  serial_print("# no longer fed\n");
  const char* then = option("then");
  if (then != NULL && equal(then, "stop")) {
    outb(PORT_WATCHDOG_STOP, 0);
    wait_ms(3000);
    return 0;
  }
  for (;;) asm volatile("cli; hlt");
}
