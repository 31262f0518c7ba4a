// The ACPI PM timer counts at 3.579545 MHz: as long as the PIT says, the count says so too.
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
  while (ticks < 1) sti_hlt_cli();
  const uint32_t start = inl(PORT_PM_TIMER);
  while (ticks < 21) sti_hlt_cli();
  const uint32_t count = (inl(PORT_PM_TIMER) - start) & 0xffffff;
  print("# %u counts in 200 ms\n", count);
  report(count > 600000 && count < 1100000, "200 ms are about 715909 counts");
  return finish();
}
