// Reads the pvpanic port in every width, then writes `write=` to it in `width=` bits (default 8), `times=` times.
// `then=` ends with a status, resets, powers off or shuts down; without it the guest waits.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

int main(void) {
  const uint32_t bits = option_number("write", 0);
  report(inb(PORT_PVPANIC) == 7, "a byte says: panicked, crash loaded, shutdown");
  report(inl(PORT_PVPANIC) == 7, "so do 32 bits");
  for (uint64_t n = option_number("times", 1); n > 0; --n) {
    if (option_number("width", 8) == 32) {
      outl(PORT_PVPANIC, bits);
    } else {
      outb(PORT_PVPANIC, bits);
    }
  }
  print("# written\n");
  const char* then = option("then");
  if (then != NULL && equal(then, "exit")) return finish();
  if (then != NULL && equal(then, "reset")) outb(PORT_RESET, 0x06);
  if (then != NULL && equal(then, "power-off")) outw(PORT_PM1_CONTROL, 5 << 10 | 1 << 13);
  if (then != NULL && equal(then, "triple-fault")) {
    const struct table_register nothing = {0, 0};
    asm volatile("lidt %0; ud2" ::"m"(nothing));
  }
  for (;;) asm volatile("cli; hlt");
}
