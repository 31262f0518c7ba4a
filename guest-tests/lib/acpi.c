#include "guest-tests/lib/acpi.h"

#include "guest-tests/lib/guest.h"

bool acpi_sums_to_zero(const void* table, size_t size) {
  uint8_t sum = 0;
  for (size_t i = 0; i < size; ++i) sum += ((const uint8_t*)table)[i];
  return sum == 0;
}

const struct acpi_rsdp* acpi_rsdp(void) {
  const uint64_t told = *(const uint64_t*)(boot_params() + 0x70);
  if (told != 0) return (const struct acpi_rsdp*)told;
  for (uintptr_t at = 0xe0000; at < 0x100000; at += 16) {
    if (memcmp((const void*)at, "RSD PTR ", 8) == 0) return (const struct acpi_rsdp*)at;
  }
  return NULL;
}

const struct acpi_header* acpi_table(const char* signature) {
  const struct acpi_rsdp* rsdp = acpi_rsdp();
  if (rsdp == NULL) return NULL;
  const struct acpi_header* xsdt = (const struct acpi_header*)rsdp->xsdt_address;
  const uint64_t* entry = (const uint64_t*)(xsdt + 1);
  for (unsigned n = (xsdt->length - sizeof(*xsdt)) / 8; n > 0; --n, ++entry) {
    const struct acpi_header* table = (const struct acpi_header*)*entry;
    if (memcmp(table->signature, signature, 4) == 0) return table;
  }
  return NULL;
}

// Returns the MADT entry after `entry` (NULL: the first one), or NULL after the last. An entry starts with type and
// length.
static const uint8_t* next_madt_entry(const uint8_t* entry) {
  const uint8_t* madt = (const uint8_t*)acpi_table("APIC");
  if (madt == NULL) return NULL;
  const uint8_t* end = madt + ((const struct acpi_header*)madt)->length;
  entry = entry == NULL ? madt + 44 : entry + entry[1];
  return entry + 2 <= end && entry[1] >= 2 ? entry : NULL;
}

unsigned acpi_cpus(uint32_t* apic_ids, unsigned max) {
  unsigned count = 0;
  for (const uint8_t* e = next_madt_entry(NULL); e != NULL && count < max; e = next_madt_entry(e)) {
    if (e[0] == 0 && (*(const uint32_t*)(e + 4) & 1)) apic_ids[count++] = e[3];                       // local APIC
    if (e[0] == 9 && (*(const uint32_t*)(e + 8) & 1)) apic_ids[count++] = *(const uint32_t*)(e + 4);  // x2APIC
  }
  return count;
}

unsigned acpi_gsi(unsigned isa_irq) {
  for (const uint8_t* e = next_madt_entry(NULL); e != NULL; e = next_madt_entry(e)) {
    if (e[0] == 2 && e[3] == isa_irq) return *(const uint32_t*)(e + 4);
  }
  return isa_irq;
}
