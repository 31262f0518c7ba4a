// Opens the file that --kernel names. It removes one layer of compression and takes a unified kernel image (UKI) apart.
// If the file is of a kind that cannot contain a kernel, the error names that kind.
#ifndef VMM_BOOT_KERNEL_FILE_H_
#define VMM_BOOT_KERNEL_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/boot/image_bytes.h"

namespace vmm {

struct KernelFile {
  ImageBytes kernel;                        // begins like an ELF file or a bzImage, or like nothing known
  std::vector<uint8_t> head;                // its first min(size, kBzImageHeadSize) bytes
  bool is_elf = false;                      // true if `head` begins with the ELF magic
  bool is_multiboot = false;                // true if `head` has a multiboot 1 header and is no bzImage
  std::optional<ImageBytes> initrd;         // the UKI's, if it has one
  std::optional<std::string> command_line;  // the UKI's, if it has one; without blanks at its ends
};

// InvalidArgument says what the file at `path` is and how to take its kernel out. The whole file is read only if it is
// compressed.
absl::StatusOr<KernelFile> OpenKernelFile(const std::string& path);

}  // namespace vmm

#endif  // VMM_BOOT_KERNEL_FILE_H_
