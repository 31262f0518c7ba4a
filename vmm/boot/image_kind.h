// Names the kinds of files that people give as a kernel but that are something else.
#ifndef VMM_BOOT_IMAGE_KIND_H_
#define VMM_BOOT_IMAGE_KIND_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace vmm {

// Says, as the middle of a sentence, what a file that begins with `head` is and what to do with it: "a tar archive:
// ...". `head` should hold the first 64 KiB of the file, or all of a shorter file. Returns nothing if the kind is not
// known, or if the file may be a kernel (ELF for x86-64, bzImage), a UKI or compressed.
std::optional<std::string> DescribeImage(std::span<const uint8_t> head);

}  // namespace vmm

#endif  // VMM_BOOT_IMAGE_KIND_H_
