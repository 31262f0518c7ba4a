// Opening what --kernel names: one layer of compression is taken off, and a unified kernel image
// (UKI) is taken apart. What no kernel can be in is refused by its name.
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
  ImageBytes kernel;                        // begins as an ELF file or a bzImage does, or as nothing that is known
  std::vector<uint8_t> head;                // its first min(size, kBzImageHeadSize) bytes
  bool is_elf = false;                      // by these
  std::optional<ImageBytes> initrd;         // of a UKI that has one
  std::optional<std::string> command_line;  // of a UKI that has one; blanks at its ends are cut off
};

// InvalidArgument says what the file at `path` is and how its kernel is taken out of it. The
// whole file is read only if it is compressed.
absl::StatusOr<KernelFile> OpenKernelFile(const std::string& path);

}  // namespace vmm

#endif  // VMM_BOOT_KERNEL_FILE_H_
