// The setup header of a bzImage, read from an untrusted file.
#ifndef VMM_BOOT_BZIMAGE_H_
#define VMM_BOOT_BZIMAGE_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {

// How much of a file's beginning ParseBzImage may want: the boot sector and 255 setup sectors.
inline constexpr uint64_t kBzImageHeadSize = 256 * kSetupSectorSize;

// What a bzImage says of itself, checked. Offsets are bytes in the file.
struct BzImage {
  SetupHeader header;             // what its protocol version does not define, or its length does not cover, is 0
  uint64_t protected_offset = 0;  // the protected-mode part: from here to the end of the file
  uint64_t protected_size = 0;
  uint64_t payload_offset = 0;  // the compressed kernel
  uint64_t payload_size = 0;    // 0: there is none
  std::string version;          // the kernel_version string, printable bytes only; may be empty

  bool has_64bit_entry() const { return (header.xloadflags & kXlfKernel64) != 0; }
};

// Reads the header from `head`, the first min(file_size, kBzImageHeadSize) bytes of the file.
// InvalidArgument names the field, its value and the limit. A missing 64-bit entry or
// payload is no error here: what can be done without them is for LoadKernel to say.
absl::StatusOr<BzImage> ParseBzImage(std::span<const uint8_t> head, uint64_t file_size);

}  // namespace vmm

#endif  // VMM_BOOT_BZIMAGE_H_
