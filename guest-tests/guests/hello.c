// The shortest guest: both consoles, and a clean end.
#include "guest-tests/lib/guest.h"

int main(void) {
  serial_print("hello on the serial port\n");
  print("hello on the debug console\n");
  return 0;
}
