// SMBIOS tables that give the machine out as VMware's: what cloud-init, systemd and a kernel go by
// where they do not ask CPUID.
#ifndef VMM_BOOT_SMBIOS_H_
#define VMM_BOOT_SMBIOS_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/guest_memory.h"

namespace vmm {

using Uuid = std::array<uint8_t, 16>;  // in the order in which it is written and read

// "564d1234-5678-...", as Linux shows it.
std::string UuidText(const Uuid& uuid);

// Writes BIOS, system and enclosure information from kSmbiosTables on, entry point first.
// OutOfRange where that is not RAM.
absl::Status WriteVmwareSmbios(GuestMemory& memory, const Uuid& uuid);

}  // namespace vmm

#endif  // VMM_BOOT_SMBIOS_H_
