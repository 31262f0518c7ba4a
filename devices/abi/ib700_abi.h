// The watchdog of the IB700 single board computer, an ISA card's worth of hardware: two ports to write. Linux
// drivers/watchdog/ib700wdt.c; QEMU hw/watchdog/wdt_ib700.c.
#ifndef DEVICES_ABI_IB700_ABI_H_
#define DEVICES_ABI_IB700_ABI_H_

#include <cstdint>

#include "absl/time/time.h"

namespace vmm {

// Offsets from port 0x441. Reading tells nothing.
inline constexpr uint64_t kIb700Stop = 0;   // any byte: the timer stands still
inline constexpr uint64_t kIb700Start = 2;  // the timer begins anew, with the time of the byte's low four bits

// 30 s for 0, two less for each step; 15 is at once.
inline constexpr absl::Duration Ib700Timeout(uint8_t value) { return absl::Seconds(2 * (15 - (value & 0x0f))); }

}  // namespace vmm

#endif  // DEVICES_ABI_IB700_ABI_H_
