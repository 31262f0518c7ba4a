// Names of processors, for messages about images that are built for another processor.
#ifndef VMM_BOOT_MACHINE_NAMES_H_
#define VMM_BOOT_MACHINE_NAMES_H_

#include <cstdint>
#include <string>

namespace vmm {

// The name for e_machine of an ELF header, Machine of a PE's COFF header, or ih_arch of a U-Boot header. For example
// "arm64", or "machine 0x1234" if the number is not known here.
std::string ElfMachineName(uint16_t machine);
std::string PeMachineName(uint16_t machine);
std::string UbootMachineName(uint8_t arch);

}  // namespace vmm

#endif  // VMM_BOOT_MACHINE_NAMES_H_
