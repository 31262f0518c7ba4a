// Port I/O of 8, 16 and 32 bits reaches the device in the right width and order.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

int main(void) {
  // PM1 enable has 16 bits. Two of them keep the value written: GBL_EN (5) and PWRBTN_EN (8).
  outw(PORT_PM1_ENABLE, 0x0120);
  report(inw(PORT_PM1_ENABLE) == 0x0120, "a word written is read back as a word");
  report(inb(PORT_PM1_ENABLE) == 0x20 && inb(PORT_PM1_ENABLE + 1) == 0x01, "and as its bytes, low one first");
  report(inl(PORT_PM1_STATUS) >> 16 == 0x0120, "and as the upper half of a double word");
  outb(PORT_PM1_ENABLE + 1, 0);
  report(inw(PORT_PM1_ENABLE) == 0x0020, "a byte written changes its byte only");
  outw(PORT_PM1_ENABLE, 0);
  report(inw(PORT_PM1_ENABLE) == 0, "and all of it can be cleared");

  outb(PORT_SERIAL + 7, 0x5a);  // the scratch register
  report(inb(PORT_SERIAL + 7) == 0x5a, "a byte written to the serial scratch register is read back");

  // The bits above the width of an IN stay unchanged, but 32 bits clear the upper half, as for any register.
  uint64_t rax;
  asm volatile("inb %%dx, %%al" : "=a"(rax) : "0"(0x1122334455667788), "d"(PORT_NOBODY));
  report(rax == 0x11223344556677ff, "IN of 8 bits changes AL only");
  asm volatile("inw %%dx, %%ax" : "=a"(rax) : "0"(0x1122334455667788), "d"(PORT_NOBODY));
  report(rax == 0x112233445566ffff, "IN of 16 bits changes AX only");
  asm volatile("inl %%dx, %%eax" : "=a"(rax) : "0"(0x1122334455667788), "d"(PORT_NOBODY));
  report(rax == 0x00000000ffffffff, "IN of 32 bits clears the upper half of RAX");
  return finish();
}
