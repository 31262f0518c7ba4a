// The ACPI tables. They tell a kernel about its processors, interrupt controllers, power switches and the few devices
// that it cannot probe for.
#ifndef VMM_BOOT_ACPI_H_
#define VMM_BOOT_ACPI_H_

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"

namespace vmm {

// Processors have xAPIC ids from 0. Id 255 is the broadcast address.
inline constexpr int kAcpiMaxCpus = 255;

// Writes RSDP, XSDT, RSDT, FADT, FACS, MADT and DSDT from kAcpiTables upward, for `cpus` processors. Returns the
// address of the RSDP, for boot_params. A kernel can also find the RSDP by scanning. InvalidArgument unless `cpus` is 1
// to kAcpiMaxCpus. OutOfRange if the tables' place is not RAM.
//
// An ISA interrupt arrives at the IOAPIC pin of the same number, and the PIT's interrupt at pin 0: this is KVM's own
// GSI routing. A PC has the PIT at pin 2. Tables that say so would need a routing to match.
//
// With `virtio_devices`, an SSDT names so many of them, at the places and interrupts of vmm/platform/memory_map.h.
absl::StatusOr<GuestAddr> WriteAcpiTables(GuestMemory& memory, int cpus, int virtio_devices = 0);

}  // namespace vmm

#endif  // VMM_BOOT_ACPI_H_
