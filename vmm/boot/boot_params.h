// The zero page: what a kernel is told by its loader.
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
  SetupHeader header;    // as the image has it; what is the loader's to set is set over it
  GuestRange initrd;     // size 0: none
  GuestAddr acpi_rsdp;   // 0: none
  GuestAddr setup_data;  // 0: none
  std::span<const E820Entry> e820;
  bool kaslr = false;  // the image was placed at random: KASLR_FLAG
};

// A header for an image that brings none: a plain vmlinux.
SetupHeader HeaderForElf();

// Writes the page at kBootParams; all that is not set in it is 0. The command line is taken to
// be at kCommandLine. ResourceExhausted where there are more than kE820MaxEntries entries.
absl::Status WriteBootParams(GuestMemory& memory, const BootParams& params);

}  // namespace vmm

#endif  // VMM_BOOT_BOOT_PARAMS_H_
