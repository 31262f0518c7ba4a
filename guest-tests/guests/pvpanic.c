// Reads the pvpanic port in every width, then writes `write=` to it in `width=` bits, 8 unless told, and waits.
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
  for (;;) asm volatile("cli; hlt");
}
