// The host's input arrives by receive interrupts, and goes back in capitals. A newline ends the guest, with `panic=1`
// by a panic.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/irqchip.h"

#define LSR_DATA_READY 0x01

static volatile unsigned received;
static volatile bool done;

static void on_serial(struct interrupt_frame* frame) {
  (void)frame;
  while (inb(PORT_SERIAL + 5) & LSR_DATA_READY) {
    char c = inb(PORT_SERIAL);
    ++received;
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
    outb(PORT_SERIAL, c);
    if (c == '\n') done = true;
  }
  apic_end();
}

int main(void) {
  on_interrupt(0x44, on_serial);
  apic_enable();
  ioapic_route(4, 0x44, 0);
  outb(PORT_SERIAL + 2, 0x01);  // FCR: FIFO on
  outb(PORT_SERIAL + 4, 0x0b);  // MCR: DTR, RTS, OUT2
  outb(PORT_SERIAL + 1, 0x01);  // IER: received data
  serial_print("type: ");
  while (!done) sti_hlt_cli();
  if (option_number("panic", 0)) outb(PORT_PVPANIC, 1);
  print("# %u bytes\n", received);
  return received == option_number("bytes", 0) ? 0 : 1;
}
