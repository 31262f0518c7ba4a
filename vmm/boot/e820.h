// The memory map that boot_params gives to a kernel.
#ifndef VMM_BOOT_E820_H_
#define VMM_BOOT_E820_H_

#include <span>
#include <vector>

#include "base/guest_addr.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {

// Returns the entries for a machine with `ram`, in ascending order. RAM is usable except for the area below 1 MiB that
// a PC reserves (from 0x9fc00). The ACPI tables are reserved, and so are KVM's own pages below 4 GiB.
std::vector<E820Entry> MakeE820(std::span<const GuestRange> ram);

}  // namespace vmm

#endif  // VMM_BOOT_E820_H_
