// The lzop container, as far as a kernel payload uses it.
#ifndef VMM_BOOT_LZOP_H_
#define VMM_BOOT_LZOP_H_

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

namespace vmm {

// Decodes an lzop file that is whole in memory into `out`. Returns the number of bytes written. If `head_only`, stops
// when `out` is full. Otherwise the file must end where `stream` ends, and must fit `out`. InvalidArgument if it is
// damaged, cut short or too long. Only the decoded size is checked, not the checksums: the kernel does no more.
absl::StatusOr<size_t> DecodeLzop(std::span<const uint8_t> stream, std::span<uint8_t> out, bool head_only);

}  // namespace vmm

#endif  // VMM_BOOT_LZOP_H_
