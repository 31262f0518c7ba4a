// The PIT's interrupts arrive, first through the PIC and then through the IOAPIC.
#include "guest-tests/lib/acpi.h"
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"

static volatile unsigned by_pic, by_ioapic;

static void from_pic(struct interrupt_frame* frame) {
  (void)frame;
  ++by_pic;
  pic_end(0);
}

static void from_ioapic(struct interrupt_frame* frame) {
  (void)frame;
  ++by_ioapic;
  apic_end();
}

int main(void) {
  on_interrupt(0x20, from_pic);
  on_interrupt(0x40, from_ioapic);
  pic_init();
  apic_enable();
  apic_write(0x350, 0x700);  // LVT LINT0: ExtINT, the PIC's input
  pit_periodic(200);

  pic_unmask(0);
  while (by_pic < 5) sti_hlt_cli();
  report(true, "five interrupts by the PIC, each out of HLT");

  pic_init();  // masks the PIT's interrupt again
  ioapic_route(acpi_gsi(0), 0x40, 0);
  while (by_ioapic < 5) sti_hlt_cli();
  report(true, "five interrupts by the IOAPIC");
  const unsigned before = by_pic;
  while (by_ioapic < 8) sti_hlt_cli();
  report(by_pic == before, "and none by the PIC any more");
  return finish();
}
