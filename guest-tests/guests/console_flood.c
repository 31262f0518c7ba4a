// A lot of output on the serial port: none of it gets lost.
#include "guest-tests/lib/guest.h"

int main(void) {
  const unsigned lines = option_number("lines", 100);
  for (unsigned i = 0; i < lines; ++i) serial_print("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\n");
  return 0;
}
