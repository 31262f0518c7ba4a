#include "guest-tests/lib/irqchip.h"

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

#define LAPIC ((volatile uint32_t*)0xfee00000)
#define IOAPIC ((volatile uint32_t*)0xfec00000)

void pic_init(void) {
  static const uint8_t words[2][4] = {{0x11, 0x20, 4, 1}, {0x11, 0x28, 2, 1}};  // ICW1 to ICW4
  for (int chip = 0; chip < 2; ++chip) {
    const uint16_t port = chip == 0 ? 0x20 : 0xa0;
    outb(port, words[chip][0]);
    for (int i = 1; i < 4; ++i) outb(port + 1, words[chip][i]);
    outb(port + 1, 0xff);
  }
}

void pic_unmask(int irq) {
  const uint16_t port = irq < 8 ? 0x21 : 0xa1;
  outb(port, inb(port) & ~(1 << (irq & 7)));
  if (irq >= 8) pic_unmask(2);
}

void pic_end(int irq) {
  if (irq >= 8) outb(0xa0, 0x20);
  outb(0x20, 0x20);
}

void pit_periodic(unsigned hz) {
  const unsigned divisor = 1193182 / hz;
  outb(0x43, 0x34);  // channel 0, low byte then high byte, mode 2
  outb(0x40, divisor);
  outb(0x40, divisor >> 8);
}

static bool is_x2apic(void) { return rdmsr(MSR_APIC_BASE) & 1 << 10; }

uint32_t apic_read(unsigned reg) { return is_x2apic() ? rdmsr(MSR_X2APIC + reg / 16) : LAPIC[reg / 4]; }

void apic_write(unsigned reg, uint32_t value) {
  if (is_x2apic()) {
    wrmsr(MSR_X2APIC + reg / 16, value);
  } else {
    LAPIC[reg / 4] = value;
  }
}

void apic_enable(void) {
  apic_write(0x80, 0);
  apic_write(0xf0, 0x1ff);
}

uint32_t apic_id(void) { return is_x2apic() ? apic_read(0x20) : apic_read(0x20) >> 24; }

void apic_end(void) { apic_write(0xb0, 0); }

void apic_send(uint32_t destination, uint32_t command) {
  if (is_x2apic()) {
    wrmsr(MSR_X2APIC + 0x30, (uint64_t)destination << 32 | command);
    return;
  }
  LAPIC[0x310 / 4] = destination << 24;
  LAPIC[0x300 / 4] = command;
  while (LAPIC[0x300 / 4] & 1 << 12) pause();
}

void ioapic_route(unsigned gsi, uint8_t vector, uint8_t destination) {
  IOAPIC[0] = 0x10 + 2 * gsi + 1;
  IOAPIC[4] = (uint32_t)destination << 24;
  IOAPIC[0] = 0x10 + 2 * gsi;
  IOAPIC[4] = vector;
}

void wait_us(uint64_t microseconds) {
  uint64_t left = microseconds * 3579545 / 1000000 + 1;
  uint32_t last = inl(PORT_PM_TIMER);
  for (;;) {
    const uint32_t now = inl(PORT_PM_TIMER);
    const uint32_t gone = (now - last) & 0xffffff;  // the timer has at least 24 bits
    if (gone >= left) return;
    left -= gone;
    last = now;
  }
}
