// A great deal of output over the serial port: none of it is lost.
#include "guest-tests/lib/guest.h"

int main(void) {
  const unsigned lines = option_number("lines", 100);
  for (unsigned i = 0; i < lines; ++i) serial_print("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\n");
  return 0;
}
