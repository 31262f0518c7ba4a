// ACPI S5: writes SLP_TYP and SLP_EN to PM1a control. Neither alone powers off, and no other sleep type does.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

#define SLP_EN (1 << 13)

#define S5 (5 << 10)

int main(void) {
  outw(PORT_PM1_CONTROL, S5);
  print("# type set, not enabled\n");
  outw(PORT_PM1_CONTROL, 3 << 10 | SLP_EN);
  print("# another type\n");
  if (option_number("bytes", 0)) {  // first the type, then the upper byte alone
    outw(PORT_PM1_CONTROL, S5);
    outb(PORT_PM1_CONTROL + 1, (S5 | SLP_EN) >> 8);
  } else {
    outw(PORT_PM1_CONTROL, S5 | SLP_EN);
  }
  print("# still here\n");
  return 1;
}
