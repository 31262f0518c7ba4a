// A unified kernel image: an EFI program (PE32+) that carries a kernel, an initrd and a command
// line in sections of its own, read from an untrusted file. The program itself is not run.
#ifndef VMM_BOOT_UKI_H_
#define VMM_BOOT_UKI_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

namespace vmm {

// A section's bytes in the file: they lie within it.
struct PeSection {
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct Uki {
  uint16_t machine = 0;             // COFF Machine
  std::optional<PeSection> kernel;  // .linux; nothing: an EFI program that is no UKI
  std::optional<PeSection> initrd;  // .initrd
  std::optional<PeSection> cmdline;
};

// True iff `head`, the beginning of a file, has "MZ" and the PE signature to which that points.
bool IsPe(std::span<const uint8_t> head);

// Reads the headers from `head`, the first bytes of the file; the section table must end in
// them. Of an image with several profiles the first is taken. InvalidArgument names the field
// or section, its value and the limit.
// REQUIRES: IsPe(head).
absl::StatusOr<Uki> ParseUki(std::span<const uint8_t> head, uint64_t file_size);

}  // namespace vmm

#endif  // VMM_BOOT_UKI_H_
