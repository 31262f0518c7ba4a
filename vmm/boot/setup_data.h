// The setup_data list: what a loader passes to a kernel beyond boot_params.
#ifndef VMM_BOOT_SETUP_DATA_H_
#define VMM_BOOT_SETUP_DATA_H_

#include "absl/status/status.h"
#include "base/guest_memory.h"

namespace vmm {

// Writes a list with one entry at kSetupData: 32 random bytes for the kernel's random-number generator
// (SETUP_RNG_SEED). With them an early boot need not wait for entropy.
absl::Status WriteSetupData(GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_SETUP_DATA_H_
