// A multiboot 1 image, read from an untrusted file: its header, and the pieces that go into RAM. The pieces are given
// by the header's own address fields or else by an ELF program header table, 32-bit or 64-bit.
#ifndef VMM_BOOT_MULTIBOOT_IMAGE_H_
#define VMM_BOOT_MULTIBOOT_IMAGE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "vmm/boot/elf_segment.h"

namespace vmm {

struct MultibootImage {
  uint64_t header_offset = 0;        // in the file
  uint32_t flags = 0;                // the header's
  std::vector<ElfSegment> segments;  // memsz > 0, disjoint in physical memory, below 4 GiB
  GuestRange extent;                 // from the lowest paddr to the highest end
  uint32_t entry = 0;                // physical
};

// Returns the offset of the multiboot 1 header in `head`, the beginning of a file; nothing if there is none. A header
// whose checksum is wrong is none.
std::optional<uint64_t> FindMultibootHeader(std::span<const uint8_t> head);

// Reads `head`, the first bytes of the file. The ELF program headers must end within it. InvalidArgument names the
// field, its value and the limit. REQUIRES: FindMultibootHeader(head) has a value.
absl::StatusOr<MultibootImage> ParseMultiboot(std::span<const uint8_t> head, uint64_t file_size);

}  // namespace vmm

#endif  // VMM_BOOT_MULTIBOOT_IMAGE_H_
