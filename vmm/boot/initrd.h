// The initial RAM disk.
#ifndef VMM_BOOT_INITRD_H_
#define VMM_BOOT_INITRD_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "vmm/boot/image_bytes.h"

namespace vmm {

// Reads the file at `path` into guest RAM, as high as possible. Its last byte is at or below `addr_max` (the header's
// initrd_addr_max) and below the hole. It stays clear of `kernel` and of the first MiB. Returns its place, or an empty
// range if `path` is empty.
absl::StatusOr<GuestRange> LoadInitrd(const std::string& path, const GuestRange& kernel, uint32_t addr_max,
                                      GuestMemory& memory);

// The same for an initrd that is already open. Errors do not contain its name.
absl::StatusOr<GuestRange> LoadInitrd(const ImageBytes& initrd, const GuestRange& kernel, uint32_t addr_max,
                                      GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_INITRD_H_
