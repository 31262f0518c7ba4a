// 32-bit protected mode without paging, as a multiboot kernel is entered.
#ifndef VMM_BOOT_PROTECTED_MODE_H_
#define VMM_BOOT_PROTECTED_MODE_H_

#include <array>
#include <cstdint>

#include "base/guest_addr.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

inline constexpr uint16_t kFlatCs = 0x08;
inline constexpr uint16_t kFlatDs = 0x10;

// A GDT with flat 32-bit segments at the selectors above. An image need not have a GDT of its own before it loads a
// segment register.
inline constexpr std::array<uint64_t, 3> kFlatGdt{0, 0x00cf9b000000ffff, 0x00cf93000000ffff};

// Returns the state of vCPU 0 at `entry`: paging and interrupts off, flat segments, GDTR at `gdt`, where kFlatGdt must
// be. All general registers are 0 but RSP.
CpuState ProtectedModeEntry(uint32_t entry, GuestAddr gdt);

}  // namespace vmm

#endif  // VMM_BOOT_PROTECTED_MODE_H_
