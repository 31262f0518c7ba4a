// The ACPI tables by which a kernel finds its processors, interrupt controllers, power
// switches and the few devices that it cannot probe for.
#ifndef VMM_BOOT_ACPI_H_
#define VMM_BOOT_ACPI_H_

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"

namespace vmm {

// Processors are xAPIC ids from 0 on; id 255 is the broadcast address.
inline constexpr int kAcpiMaxCpus = 255;

// Writes RSDP, XSDT, FADT, FACS, MADT and DSDT from kAcpiTables on, for `cpus` processors, and
// returns the address of the RSDP (for boot_params; it can be found by scanning, too).
// InvalidArgument unless `cpus` is 1 to kAcpiMaxCpus; OutOfRange where the tables' place is
// not RAM.
//
// ISA interrupts arrive at the IOAPIC pin of their number, the PIT's at pin 0: that is KVM's own
// GSI routing. A PC has the PIT at pin 2, and tables that say so need a routing to match.
absl::StatusOr<GuestAddr> WriteAcpiTables(GuestMemory& memory, int cpus);

}  // namespace vmm

#endif  // VMM_BOOT_ACPI_H_
