// The keyboard controller has only its reset line: a driver that looks for more must see that at once.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

int main(void) {
  // Linux flushes first: it reads data while the status says that there is some, at most 16 times.
  int reads = 0;
  while ((inb(0x64) & 0x01) && reads < 17) {
    inb(0x60);
    ++reads;
  }
  print("# status %x after %d reads\n", inb(0x64), reads);
  report(reads == 17 || (inb(0x64) & 0x03) == 0, "either nobody is there, or a controller that is ready");
  outb(0x64, 0xfd);
  outb(0x64, 0x00);
  outb(0x60, 0xfe);
  report(true, "commands other than the reset do not reset");
  return finish();
}
