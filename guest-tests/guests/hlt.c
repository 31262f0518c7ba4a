// HLT. With `for=ever`, interrupts are off and nothing can wake this CPU again. Otherwise an interrupt wakes it.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"

static volatile bool woken;

static void wake(struct interrupt_frame* frame) {
  (void)frame;
  woken = true;
  apic_end();
}

int main(void) {
  if (option("for") != NULL) {
    print("# good night\n");
    for (;;) asm volatile("cli; hlt");
  }
  on_interrupt(0x50, wake);
  apic_enable();
  apic_write(0x320, 0x50);  // LVT timer, one-shot
  apic_write(0x380, 1000000);
  sti_hlt_cli();
  report(woken, "an interrupt ends HLT");
  woken = false;
  apic_send(0, 0x50);  // to itself, and pending before the HLT
  sti_hlt_cli();
  report(woken, "HLT does not miss one that was pending before");
  return finish();
}
