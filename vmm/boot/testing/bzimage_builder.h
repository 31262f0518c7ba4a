// Builds small kernels for tests: an ELF file with two PT_LOADs and its relocations, compressed, in a bzImage. A test
// makes a bad image by changing the public members before it builds.
#ifndef VMM_BOOT_TESTING_BZIMAGE_BUILDER_H_
#define VMM_BOOT_TESTING_BZIMAGE_BUILDER_H_

#include <elf.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/boot/codecs.h"

namespace vmm {

class BzImageBuilder {
 public:
  // The address that the good kernel is linked for, and what a test may look for in guest RAM.
  static constexpr uint64_t kLinkedAt = 0x1000000;
  static constexpr uint64_t kTextSize = 0x2345;   // not a multiple of a page: its last bytes share one
  static constexpr uint64_t kDataAt = 0x1004000;  // the second PT_LOAD
  static constexpr uint64_t kDataSize = 0x1800;
  static constexpr uint64_t kInitSize = 0x40000;
  static constexpr uint8_t kTextByte = 0xcc;
  static constexpr uint8_t kDataByte = 0xdd;
  // Places that hold an address, as offsets from kLinkedAt, one of each kind. Each holds kAddress (or its low half).
  static constexpr uint64_t kAbs32Place = 0x100;
  static constexpr uint64_t kInverse32Place = 0x204;
  static constexpr uint64_t kAbs64Place = 0x4008;
  static constexpr uint64_t kAddress = kStartKernelMap + kDataAt;

  BzImageBuilder();

  // The ELF file, followed by the words of `relocations`.
  std::vector<uint8_t> Elf() const;
  // The compressed ELF file and its size word.
  std::vector<uint8_t> Payload() const;
  // The whole bzImage.
  std::vector<uint8_t> Image() const;

  Elf64_Ehdr ehdr = {};
  std::vector<Elf64_Phdr> phdrs;
  std::vector<uint32_t> relocations;  // empty: none

  Codec codec = Codec::kLz4;
  std::optional<std::vector<uint8_t>> decoded;              // instead of Elf()
  std::function<void(std::vector<uint8_t>&)> spoil_stream;  // called before the size word is appended
  std::optional<uint32_t> size_word;

  uint8_t header_length = 0x6a;           // the byte at 0x201
  std::function<void(SetupHeader&)> lie;  // changes the finished header
  std::string version = "6.1.0-test (builder)";
};

// Writes `bytes` to a new file in the test's directory. Returns its path.
std::string WriteTestFile(const std::string& name, const std::vector<uint8_t>& bytes);

}  // namespace vmm

#endif  // VMM_BOOT_TESTING_BZIMAGE_BUILDER_H_
