// A unified kernel image: an EFI program (PE32+) that carries a kernel, an initrd and a command line in sections of its
// own. It is read from an untrusted file. The program itself is not run.
#ifndef VMM_BOOT_UKI_H_
#define VMM_BOOT_UKI_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

namespace vmm {

// A section's bytes in the file. They lie within the file.
struct PeSection {
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct Uki {
  uint16_t machine = 0;             // COFF Machine
  std::optional<PeSection> kernel;  // .linux; none: an EFI program that is not a UKI
  std::optional<PeSection> initrd;  // .initrd
  std::optional<PeSection> cmdline;
};

// True if `head`, the beginning of a file, has "MZ" and the PE signature at the offset that its header gives.
bool IsPe(std::span<const uint8_t> head);

// Reads the headers from `head`, the first bytes of the file. The section table must end within them. If an image has
// several profiles, the first is used. InvalidArgument names the field or section, its value and the limit.
// REQUIRES: IsPe(head).
absl::StatusOr<Uki> ParseUki(std::span<const uint8_t> head, uint64_t file_size);

}  // namespace vmm

#endif  // VMM_BOOT_UKI_H_
