// The kernel inside a bzImage, decompressed and placed by us instead of by the image's own
// code: faster by the time that code takes, and the VMM knows where the kernel is.
#ifndef VMM_BOOT_DIRECT_IMAGE_H_
#define VMM_BOOT_DIRECT_IMAGE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "base/input_file.h"
#include "vmm/boot/bzimage.h"
#include "vmm/boot/elf_kernel.h"
#include "vmm/boot/payload.h"

namespace vmm {

// A payload that was read and looked into, but not yet decoded.
struct DirectImage {
  std::unique_ptr<uint8_t[]> compressed;  // what payload.stream lies in
  Payload payload;
  ElfKernel elf;
  uint64_t room = 0;  // bytes of RAM that the kernel wants from its lowest address on: its extent or init_size

  // Where it is linked to run.
  GuestRange linked() const { return {elf.extent.start, room}; }
  bool has_relocations() const { return elf.end < payload.size; }
};

// Reads the payload of `image`. Unimplemented where there is none, its compression is not known
// or it is not an ELF file: such an image may still start itself (classic). InvalidArgument
// where it is one of ours and damaged.
absl::StatusOr<DirectImage> ReadDirectImage(const InputFile& file, const BzImage& image);

// Decodes the kernel to `base` and moves it by `shift` in virtual memory.
// REQUIRES: base + room is RAM; shift is 0 unless has_relocations().
absl::Status PlaceDirectImage(const DirectImage& image, GuestAddr base, uint64_t shift, GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_DIRECT_IMAGE_H_
