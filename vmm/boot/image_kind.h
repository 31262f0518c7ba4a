// Names files that people give as a kernel and that are something else.
#ifndef VMM_BOOT_IMAGE_KIND_H_
#define VMM_BOOT_IMAGE_KIND_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace vmm {

// What a file beginning with `head` is, and what to do with it, as the middle of a sentence:
// "a tar archive: ...". `head` should have the first 64 KiB where the file has them. Nothing
// where the file is not known, or may be a kernel (ELF for x86-64, bzImage), a UKI or compressed.
std::optional<std::string> DescribeImage(std::span<const uint8_t> head);

}  // namespace vmm

#endif  // VMM_BOOT_IMAGE_KIND_H_
