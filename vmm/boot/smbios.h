// SMBIOS tables that present the machine as VMware's. cloud-init, systemd and the kernel go by them if they do not ask
// CPUID.
#ifndef VMM_BOOT_SMBIOS_H_
#define VMM_BOOT_SMBIOS_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/guest_memory.h"

namespace vmm {

using Uuid = std::array<uint8_t, 16>;  // bytes in the order of its text form

// Returns "564d1234-5678-...", as Linux shows it.
std::string UuidText(const Uuid& uuid);

// Writes BIOS, system and enclosure information from kSmbiosTables upward, entry point first. OutOfRange if that is not
// RAM.
absl::Status WriteVmwareSmbios(GuestMemory& memory, const Uuid& uuid);

}  // namespace vmm

#endif  // VMM_BOOT_SMBIOS_H_
