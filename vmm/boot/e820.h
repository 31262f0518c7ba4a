// The memory map that a kernel is given in boot_params.
#ifndef VMM_BOOT_E820_H_
#define VMM_BOOT_E820_H_

#include <span>
#include <vector>

#include "base/guest_addr.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {

// The entries for a machine with `ram`, ascending: RAM but for what a PC keeps below 1 MiB
// (0x9fc00 on), the ACPI tables reserved, and so KVM's own pages below 4 GiB.
std::vector<E820Entry> MakeE820(std::span<const GuestRange> ram);

}  // namespace vmm

#endif  // VMM_BOOT_E820_H_
