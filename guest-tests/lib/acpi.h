// The ACPI tables, as far as our guests read them.
#ifndef GUEST_TESTS_LIB_ACPI_H_
#define GUEST_TESTS_LIB_ACPI_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct __attribute__((packed)) acpi_rsdp {
  char signature[8];  // "RSD PTR "
  uint8_t checksum;
  char oem_id[6];
  uint8_t revision;
  uint32_t rsdt_address, length;
  uint64_t xsdt_address;
  uint8_t extended_checksum, reserved[3];
};

struct __attribute__((packed)) acpi_header {
  char signature[4];
  uint32_t length;
  uint8_t revision, checksum;
  char oem_id[6], oem_table_id[8];
  uint32_t oem_revision, creator_id, creator_revision;
};

// True if all of the `size` bytes add up to 0.
bool acpi_sums_to_zero(const void* table, size_t size);

// Finds the RSDP through acpi_rsdp_addr of boot_params, else by a search of the BIOS area. NULL if there is none.
const struct acpi_rsdp* acpi_rsdp(void);

// Returns the XSDT's table with this signature ("APIC", "FACP"), or NULL.
const struct acpi_header* acpi_table(const char* signature);

// Writes the APIC ids of the enabled CPUs in the MADT, in its order. Returns how many, at most `max`.
unsigned acpi_cpus(uint32_t* apic_ids, unsigned max);

// Returns the GSI that the MADT gives to an ISA interrupt: the same number unless an override changes it.
unsigned acpi_gsi(unsigned isa_irq);

#endif  // GUEST_TESTS_LIB_ACPI_H_
