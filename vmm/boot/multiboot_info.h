// The structures that a multiboot kernel finds through EBX, as one block in low memory.
#ifndef VMM_BOOT_MULTIBOOT_INFO_H_
#define VMM_BOOT_MULTIBOOT_INFO_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {

// A module in guest RAM.
struct PlacedModule {
  GuestRange place;
  std::string text;  // "FILE ARGS": the module's `string`
};

struct MultibootInfoParts {
  std::string_view command_line;  // the kernel's name first, as GRUB and QEMU pass it
  std::span<const PlacedModule> modules;
  std::span<const E820Entry> e820;
};

struct PlacedMultibootInfo {
  GuestAddr gdt;   // kFlatGdt
  GuestAddr info;  // struct multiboot_info
};

// Writes the block to the lowest place between kBootGdt and kEbda that is clear of `taken` (the kernel), and the two
// words of the BIOS data area that say how much low memory there is. ResourceExhausted if there is no such place.
// REQUIRES: RAM covers the low memory; all addresses in `parts` are below 4 GiB but those of the memory map.
absl::StatusOr<PlacedMultibootInfo> WriteMultibootInfo(GuestMemory& memory, const MultibootInfoParts& parts,
                                                       std::span<const GuestRange> taken);

}  // namespace vmm

#endif  // VMM_BOOT_MULTIBOOT_INFO_H_
