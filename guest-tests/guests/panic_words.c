// Dies like a kernel without a pvpanic driver: prints words on the serial port, and then, by `then=`, resets, powers
// off, reports to pvpanic after all, or stands still. With `words=early` the words are of an exception before the
// kernel has its traps.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

int main(void) {
  const char* words = option("words");
  if (words != NULL && equal(words, "early")) {
    serial_print("PANIC: early exception 0x06 IP 10:ffffffff837a9f1c error 0 cr2 0x0\n");
    for (;;) asm volatile("cli; hlt");
  }
  serial_print("[    1.500000] WARNING: CPU: 0 PID: 1 at guest.c:9 main+0x1/0x2\n");
  serial_print("[    1.600000] Kernel panic - not syncing: only words\n");
  const char* then = option("then");
  if (then != NULL && equal(then, "reset")) outb(PORT_RESET, 0x06);
  if (then != NULL && equal(then, "power-off")) outw(PORT_PM1_CONTROL, 5 << 10 | 1 << 13);
  if (then != NULL && equal(then, "pvpanic")) outb(PORT_PVPANIC, 1);
  for (;;) asm volatile("cli; hlt");
}
