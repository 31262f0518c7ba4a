// The watchdog of the IB700 single board computer, an ISA device with two ports to write. Linux
// drivers/watchdog/ib700wdt.c; QEMU hw/watchdog/wdt_ib700.c.
#ifndef DEVICES_ABI_IB700_ABI_H_
#define DEVICES_ABI_IB700_ABI_H_

#include <cstdint>

#include "absl/time/time.h"

namespace vmm {

// Offsets from port 0x441. Reading them returns no information.
inline constexpr uint64_t kIb700Stop = 0;   // any byte stops the timer
inline constexpr uint64_t kIb700Start = 2;  // restarts the timer; the low four bits of the byte give the timeout

// 30 s for 0, and 2 s less for each step; 15 expires at once.
inline constexpr absl::Duration Ib700Timeout(uint8_t value) { return absl::Seconds(2 * (15 - (value & 0x0f))); }

}  // namespace vmm

#endif  // DEVICES_ABI_IB700_ABI_H_
