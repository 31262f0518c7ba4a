// The setup_data list: what a loader tells a kernel beyond boot_params.
#ifndef VMM_BOOT_SETUP_DATA_H_
#define VMM_BOOT_SETUP_DATA_H_

#include "absl/status/status.h"
#include "base/guest_memory.h"

namespace vmm {

// Writes a list of one at kSetupData: 32 random bytes for the kernel's random-number generator
// (SETUP_RNG_SEED), which spares an early boot the wait for entropy.
absl::Status WriteSetupData(GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_SETUP_DATA_H_
