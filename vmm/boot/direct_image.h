// The kernel inside a bzImage, decompressed and placed by us instead of by the image's own code. This saves the time
// that the image's code takes, and the VMM knows where the kernel is.
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
#include "vmm/boot/image_bytes.h"
#include "vmm/boot/payload.h"

namespace vmm {

// A payload that was read and inspected, but not yet decoded.
struct DirectImage {
  std::unique_ptr<uint8_t[]> compressed;  // payload.stream points into it
  Payload payload;
  ElfKernel elf;
  uint64_t room = 0;  // bytes of RAM that the kernel needs from its lowest address: its extent or init_size

  // The physical range that the kernel is linked for.
  GuestRange linked() const { return {elf.extent.start, room}; }
  bool has_relocations() const { return elf.end < payload.size; }
};

// Reads the payload of `image`. Unimplemented if there is no payload, if its compression is not known, or if it is not
// an ELF file: such an image may still start itself (classic). InvalidArgument if we know the payload's format but the
// payload is damaged.
absl::StatusOr<DirectImage> ReadDirectImage(const ImageBytes& file, const BzImage& image);

// Decodes the kernel to `base` and moves it by `shift` in virtual memory.
// REQUIRES: base + room is RAM; shift is 0 unless has_relocations().
absl::Status PlaceDirectImage(const DirectImage& image, GuestAddr base, uint64_t shift, GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_DIRECT_IMAGE_H_
