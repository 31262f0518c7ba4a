// The ways in which PC software resets the machine, chosen by `by=`: i8042, cf9, acpi.
#include "guest-tests/lib/acpi.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

int main(void) {
  const char* by = option("by");
  if (by == NULL) return 2;
  if (equal(by, "i8042")) outb(0x64, 0xfe);
  if (equal(by, "cf9")) {
    outb(PORT_RESET, 0x02);  // selects system reset, does not trigger it yet
    print("# chosen\n");
    outb(PORT_RESET, 0x06);
  }
  if (equal(by, "acpi")) {
    const uint8_t* fadt = (const uint8_t*)acpi_table("FACP");
    const bool supported = *(const uint32_t*)(fadt + 112) & 1 << 10;  // flags: RESET_REG_SUP
    if (!supported || fadt[116] != 1) return 3;                       // RESET_REG: in system I/O space
    outb(*(const uint64_t*)(fadt + 120), fadt[128]);
  }
  print("# still here\n");
  return 1;
}
