// The zero page (boot_params): the loader's parameters for a kernel.
#ifndef VMM_BOOT_BOOT_PARAMS_H_
#define VMM_BOOT_BOOT_PARAMS_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {

struct BootParams {
  SetupHeader header;    // from the image; WriteBootParams() overwrites the fields that a loader sets
  GuestRange initrd;     // size 0: none
  GuestAddr acpi_rsdp;   // 0: none
  GuestAddr setup_data;  // 0: none
  std::span<const E820Entry> e820;
  bool kaslr = false;  // true if the image was placed at random: sets KASLR_FLAG
};

// Returns a header for an image that has none: a plain vmlinux.
SetupHeader HeaderForElf();

// Writes the page at kBootParams. Everything that is not set in it is 0. The command line is taken to be at
// kCommandLine. ResourceExhausted if there are more than kE820MaxEntries entries.
absl::Status WriteBootParams(GuestMemory& memory, const BootParams& params);

}  // namespace vmm

#endif  // VMM_BOOT_BOOT_PARAMS_H_
