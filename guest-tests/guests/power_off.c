// ACPI's S5: SLP_TYP and SLP_EN into PM1a control; with `bits=` something else, which must not power it off.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

#define SLP_EN (1 << 13)

int main(void) {
  const unsigned type = option_number("type", 5);
  outw(PORT_PM1_CONTROL, type << 10);
  print("# type set, not enabled\n");
  outw(PORT_PM1_CONTROL, type << 10 | SLP_EN);
  print("# still here\n");
  return 1;
}
