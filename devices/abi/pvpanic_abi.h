// The bits of the pvpanic register. docs/abi/pvpanic.md; QEMU docs/specs/pvpanic; Linux include/uapi/misc/pvpanic.h.
#ifndef DEVICES_ABI_PVPANIC_ABI_H_
#define DEVICES_ABI_PVPANIC_ABI_H_

#include <cstdint>

namespace vmm {

// Read: the events that this machine understands. Write: the event that happened.
inline constexpr uint32_t kPvpanicPanicked = 1u << 0;     // the guest panicked
inline constexpr uint32_t kPvpanicCrashLoaded = 1u << 1;  // it panicked, and its own crash kernel takes over
inline constexpr uint32_t kPvpanicShutdown = 1u << 2;     // it asks to be powered off

inline constexpr uint32_t kPvpanicKnown = kPvpanicPanicked | kPvpanicCrashLoaded | kPvpanicShutdown;

}  // namespace vmm

#endif  // DEVICES_ABI_PVPANIC_ABI_H_
