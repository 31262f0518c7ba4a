// The serial port sends a text by interrupts alone: one each time its transmit register becomes empty.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/irqchip.h"

#define IER (PORT_SERIAL + 1)
#define IIR (PORT_SERIAL + 2)
#define MCR (PORT_SERIAL + 4)
#define IER_THRE 0x02
#define IIR_NONE 0x01
#define IIR_THRE 0x02

static const char* volatile text = "sent by interrupts\n";
static volatile unsigned interrupts;

static void on_serial(struct interrupt_frame* frame) {
  (void)frame;
  ++interrupts;
  if ((inb(IIR) & 0x0f) == IIR_THRE && *text) outb(PORT_SERIAL, *text++);
  if (*text == '\0') outb(IER, 0);
  apic_end();
}

static void take_interrupts(void) {
  sti();
  wait_us(2000);
  cli();
}

int main(void) {
  report((inb(IIR) & 0x0f) == IIR_NONE, "IIR says that nothing is pending");
  on_interrupt(0x44, on_serial);
  apic_enable();
  ioapic_route(4, 0x44, 0);
  outb(MCR, 0x08);  // OUT2: on a PC, it gates the interrupt line
  outb(IER, IER_THRE);
  while (*text) sti_hlt_cli();
  report(interrupts >= 19, "an interrupt for each byte");
  take_interrupts();  // one may have been pending
  const unsigned before = interrupts;
  take_interrupts();
  report(interrupts == before, "and none once they are switched off");
  report((inb(IIR) & 0x0f) == IIR_NONE, "IIR says again that nothing is pending");
  return finish();
}
