// The setup header of a bzImage, read from an untrusted file.
#ifndef VMM_BOOT_BZIMAGE_H_
#define VMM_BOOT_BZIMAGE_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {

// The most that ParseBzImage() may need of a file's beginning: the boot sector and 255 setup sectors.
inline constexpr uint64_t kBzImageHeadSize = 256 * kSetupSectorSize;

// A bzImage's description of itself, checked. Offsets are bytes in the file.
struct BzImage {
  SetupHeader header;             // 0 in fields outside its protocol version or its length
  uint64_t protected_offset = 0;  // the protected-mode part: from here to the end of the file
  uint64_t protected_size = 0;
  uint64_t payload_offset = 0;  // the compressed kernel
  uint64_t payload_size = 0;    // 0: no payload
  std::string version;          // the kernel_version string, printable bytes only; may be empty

  bool has_64bit_entry() const { return (header.xloadflags & kXlfKernel64) != 0; }
};

// Reads the header from `head`, the first min(file_size, kBzImageHeadSize) bytes of the file. InvalidArgument names the
// field, its value and the limit. A missing 64-bit entry or a missing payload is not an error here: LoadKernel()
// decides what can be done without them.
absl::StatusOr<BzImage> ParseBzImage(std::span<const uint8_t> head, uint64_t file_size);

}  // namespace vmm

#endif  // VMM_BOOT_BZIMAGE_H_
