// The interrupt controllers and the PIT, as far as our guests need them.
#ifndef GUEST_TESTS_LIB_IRQCHIP_H_
#define GUEST_TESTS_LIB_IRQCHIP_H_

#include <stdbool.h>
#include <stdint.h>

// Sets up the two 8259s: IRQ 0 becomes vector 0x20, and so on to IRQ 15 at 0x2f. All are masked.
void pic_init(void);
void pic_unmask(int irq);
void pic_end(int irq);  // end of interrupt

// Runs the PIT's channel 0 at `hz`, at least 19: one IRQ 0 per period.
void pit_periodic(unsigned hz);

// Accesses the LAPIC of the calling CPU, by MSR in x2APIC mode, else by memory. `reg` as in the SDM's table 11-1: 0x20
// is the id, 0xb0 EOI, 0xf0 spurious vector, 0x300 ICR.
uint32_t apic_read(unsigned reg);
void apic_write(unsigned reg, uint32_t value);
void apic_enable(void);  // software enable, spurious vector 0xff, nothing blocked
uint32_t apic_id(void);
void apic_end(void);                                     // end of interrupt
void apic_send(uint32_t destination, uint32_t command);  // ICR, low half `command`; waits until it has been sent

// Routes the IOAPIC's pin `gsi` to `vector` of CPU `destination`: edge, active high, not masked.
void ioapic_route(unsigned gsi, uint8_t vector, uint8_t destination);

// Waits for `microseconds`, measured by the ACPI PM timer.
void wait_us(uint64_t microseconds);

#endif  // GUEST_TESTS_LIB_IRQCHIP_H_
