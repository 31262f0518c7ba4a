// Ends through the debug-exit port with `status=`, written in `width=` bits.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

int main(void) {
  const uint32_t status = option_number("status", 0);
  switch (option_number("width", 8)) {
    case 16: outw(PORT_DEBUG_EXIT, status); break;
    case 32: outl(PORT_DEBUG_EXIT, status); break;
    default: outb(PORT_DEBUG_EXIT, status);
  }
  for (;;) asm volatile("cli; hlt");
}
