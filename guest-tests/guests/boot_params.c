// boot_params: the command line and the RAM match the flags, and the RSDP can be found.
#include "guest-tests/lib/acpi.h"
#include "guest-tests/lib/guest.h"

#define MIB (1ull << 20)

int main(void) {
  print("# cmdline: %s\n", command_line());
  report(option_number("memory", 0) != 0, "the command line is there");
  unsigned length = 0;
  while (command_line()[length]) ++length;
  report(length == option_number("length", length), "all of it");

  unsigned count;
  const struct e820_entry* e820 = e820_table(&count);
  uint64_t usable = 0, last_end = 0;
  bool ascending = true, at_1_mib = false, params_usable = false;
  for (unsigned i = 0; i < count; ++i) {
    print("# e820 %lx %lx type %u\n", e820[i].addr, e820[i].size, e820[i].type);
    ascending &= e820[i].addr >= last_end && e820[i].size > 0;
    last_end = e820[i].addr + e820[i].size;
    if (e820[i].type != 1) continue;
    usable += e820[i].size;
    at_1_mib |= e820[i].addr == MIB;
    params_usable |= (uintptr_t)boot_params() - e820[i].addr < e820[i].size;
  }
  const uint64_t memory = option_number("memory", 0) * MIB;
  report(ascending, "e820 is in order and nothing overlaps");
  report(at_1_mib, "RAM goes on at 1 MiB");
  report(params_usable, "boot_params themselves lie in usable RAM");
  report(usable <= memory && usable >= memory - MIB, "usable RAM is --memory, but for the BIOS area");

  const struct acpi_rsdp* rsdp = acpi_rsdp();
  report(rsdp != NULL && memcmp(rsdp->signature, "RSD PTR ", 8) == 0, "the RSDP is there");
  report(*(const uint64_t*)(boot_params() + 0x70) == (uintptr_t)rsdp, "boot_params say where");
  report((uintptr_t)rsdp >= 0xe0000 && (uintptr_t)rsdp < 0x100000 && ((uintptr_t)rsdp & 15) == 0,
         "it lies where a search finds it too");
  report(acpi_sums_to_zero(rsdp, 20) && acpi_sums_to_zero(rsdp, rsdp->length), "its two checksums are right");
  static const char* const signatures[] = {"FACP", "APIC"};
  bool tables = true;
  for (unsigned i = 0; i < 2; ++i) {
    const struct acpi_header* table = acpi_table(signatures[i]);
    tables &= table != NULL && acpi_sums_to_zero(table, table->length);
  }
  report(tables, "FADT and MADT are there, with right checksums");
  return finish();
}
