// Stands for the BIOS that this machine does not have. A multiboot kernel may go back to real mode and ask the BIOS for
// memory, disks and the screen, as Xen does. Every software interrupt there finds a handler, which sets the carry flag:
// by the BIOS's conventions, the function failed or does not exist.
#ifndef VMM_BOOT_BIOS_STUB_H_
#define VMM_BOOT_BIOS_STUB_H_

#include "absl/status/status.h"
#include "base/guest_memory.h"

namespace vmm {

// Writes the handler to kBiosStub, and the 256 vectors of the interrupt table at address 0. OutOfRange if there is no
// RAM.
absl::Status WriteBiosStub(GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_BIOS_STUB_H_
