// Ways to hang and ways to be busy, chosen by `by=`: irqs-off, livelock and idle are hangs; user and talking are not.
// An NMI is answered with a line, and with `nmi=panic` with a panic, as a kernel's hard lockup detector would.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/user.h"

static __attribute__((noreturn)) uint64_t spin(void) {
  for (;;) asm volatile("");
}

static void on_nmi(struct interrupt_frame* frame) {
  (void)frame;
  const char* nmi = option("nmi");
  serial_print("# an NMI came\n");
  if (nmi != NULL && equal(nmi, "panic")) outb(PORT_PVPANIC, 1);
}

int main(void) {
  const char* by = option("by");
  if (by == NULL) return 2;
  on_interrupt(2, on_nmi);
  print("# hanging\n");
  if (equal(by, "irqs-off")) {
    asm volatile("cli");
    spin();
  }
  if (equal(by, "livelock")) {
    asm volatile("sti");
    spin();
  }
  if (equal(by, "user")) run_at_cpl3(spin);
  if (equal(by, "talking")) {
    asm volatile("sti");
    for (;;) {
      serial_print(".");
      for (volatile int i = 0; i < 20000; ++i) {
      }
    }
  }
  for (;;) asm volatile("sti; hlt");
}
