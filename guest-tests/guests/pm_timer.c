// The ACPI PM timer counts at 3.579545 MHz: its count agrees with the time by the PIT. On a busy host the PIT's
// interrupts come late and then in a burst, so one good try out of many is enough. It is also enough if all tries
// together are right, because KVM makes up for each late tick.
#include "guest-tests/lib/acpi.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/irqchip.h"

static volatile unsigned ticks;

static void on_tick(struct interrupt_frame* frame) {
  (void)frame;
  ++ticks;
  apic_end();
}

int main(void) {
  const uint32_t first = inl(PORT_PM_TIMER);
  uint32_t later = first;
  for (int i = 0; i < 100 && later == first; ++i) later = inl(PORT_PM_TIMER);
  report(later != first, "it counts");

  on_interrupt(0x40, on_tick);
  apic_enable();
  pit_periodic(100);
  ioapic_route(acpi_gsi(0), 0x40, 0);
  bool agreed = false;
  const unsigned since = ticks + 1;
  while (ticks < since) sti_hlt_cli();
  uint32_t at = inl(PORT_PM_TIMER);
  uint64_t total = 0;
  for (int tries = 0; tries < 50 && !agreed; ++tries) {
    const unsigned first_tick = ticks;
    while (ticks < first_tick + 1) sti_hlt_cli();
    const uint32_t start = inl(PORT_PM_TIMER);
    while (ticks < first_tick + 4) sti_hlt_cli();
    const uint32_t count = inl(PORT_PM_TIMER) - start;
    total += (start + count - at) & 0xffffff;
    at = start + count;
    const unsigned in_all = ticks - since;
    print("# %u counts in 30 ms, %u in all %u ms\n", count, (unsigned)total, in_all * 10);
    agreed = (count > 102000 && count < 113000) ||
             (in_all >= 100 && total > in_all * UINT64_C(34000) && total < in_all * UINT64_C(37600));
  }
  report(agreed, "30 ms are about 107386 counts");
  return finish();
}
