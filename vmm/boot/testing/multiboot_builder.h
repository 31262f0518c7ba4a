// Builds small multiboot 1 kernels for tests: an ELF32 file with two PT_LOADs, or a flat file with the header's own
// addresses. A test makes a bad image by changing the public members before it builds.
#ifndef VMM_BOOT_TESTING_MULTIBOOT_BUILDER_H_
#define VMM_BOOT_TESTING_MULTIBOOT_BUILDER_H_

#include <elf.h>

#include <cstdint>
#include <vector>

#include "vmm/boot/abi/multiboot_abi.h"

namespace vmm {

class MultibootBuilder {
 public:
  static constexpr uint32_t kTextAt = 0x400000;
  static constexpr uint32_t kTextSize = 0x1234;
  static constexpr uint32_t kDataAt = 0x402000;
  static constexpr uint32_t kDataSize = 0x800;
  static constexpr uint32_t kDataMemory = 0x3000;
  static constexpr uint32_t kEntry = kTextAt + 0x40;
  static constexpr uint32_t kTextOffset = 0x1000;    // in the ELF file
  static constexpr uint32_t kHeaderOffset = 0x1000;  // the header is at the beginning of the text
  static constexpr uint8_t kTextByte = 0xcc;
  static constexpr uint8_t kDataByte = 0xdd;

  MultibootBuilder();

  std::vector<uint8_t> Elf() const;
  // The bytes of the text alone. Sets bit 16 of the flags.
  std::vector<uint8_t> Flat() const;

  MultibootHeader header = {};  // Elf() and Flat() make the checksum right, and then add `checksum` to it
  MultibootHeaderAddresses addresses = {};
  Elf32_Ehdr ehdr = {};
  std::vector<Elf32_Phdr> phdrs;
};

}  // namespace vmm

#endif  // VMM_BOOT_TESTING_MULTIBOOT_BUILDER_H_
