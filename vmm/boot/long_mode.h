// The CPU state in which a 64-bit kernel is entered: long mode, paging on, flat segments, interrupts off (boot.rst,
// "64-bit Boot Protocol").
#ifndef VMM_BOOT_LONG_MODE_H_
#define VMM_BOOT_LONG_MODE_H_

#include <span>

#include "absl/status/status.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The boot protocol's selectors (__BOOT_CS, __BOOT_DS).
inline constexpr uint16_t kBootCs = 0x10;
inline constexpr uint16_t kBootDs = 0x18;

// Writes the GDT at kBootGdt.
absl::Status WriteBootGdt(GuestMemory& memory);

// Writes page tables at kBootPageTables that map `ranges` to themselves, writable and executable, in 2 MiB pages (every
// x86-64 CPU has them). They have 5 levels if `five_level`, else 4. ResourceExhausted if they would not fit
// kBootPageTablesSize: at about 50 GiB of ranges.
// REQUIRES: each range ends below 2^47.
absl::Status WriteIdentityMap(GuestMemory& memory, std::span<const GuestRange> ranges, bool five_level);

// Returns the state of vCPU 0 at `entry` with RSI = boot_params, on the tables above.
CpuState LongModeEntry(GuestAddr entry, bool five_level);

}  // namespace vmm

#endif  // VMM_BOOT_LONG_MODE_H_
