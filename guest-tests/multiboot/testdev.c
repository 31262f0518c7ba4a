// The test device: its register, its memory, its interrupt lines, and the page that it unmaps.
#include "guest-tests/multiboot/guest.h"

static uint32_t page[2048] __attribute__((aligned(4096)));

static bool is_requested(unsigned line) {  // in the 8259's interrupt request register
  outb(0x20, 0x0a);
  return inb(0x20) >> line & 1;
}

uint32_t run(const struct multiboot_info* info) {
  (void)info;
  outl(0xe0, 0x12345678);
  report(inl(0xe0) == 0x12345678, "the register gives back 32 bits");
  outw(0xe0, 0xabcd);
  report(inl(0xe0) == 0x1234abcd, "a write of 16 bits leaves the rest");
  outb(0xe2, 0x99);
  report(inw(0xe2) == 0x1299 && inb(0xe0) == 0xcd, "its bytes have ports of their own");
  report(inl(0xe8) == 0x1299abcd, "it is at 0xe8, too");

  volatile uint32_t* const memory = (volatile uint32_t*)0xff000000;
  memory[0] = 0xdeadbeef;
  memory[0xfffc / 4] = 0x55aa55aa;
  report(memory[0] == 0xdeadbeef && memory[0xfffc / 4] == 0x55aa55aa, "the memory keeps its first and last word");
  report(*(volatile uint16_t*)0xff000002 == 0xdead, "it can be read in halves");

  report(!is_requested(5), "line 5 is low at first");
  outb(0x2005, 1);
  report(is_requested(5), "a write of 1 raises it");
  outb(0x2005, 0);

  page[0] = 0x600df00d;
  outl(0xe4, (uint32_t)page);
  report(*(volatile uint32_t*)page == 0x600df00d, "an unmapped page comes back with its bytes");
  return finish();
}
