// Removes one layer of compression from a kernel file that was compressed as a whole, for example vmlinux.gz.
#ifndef VMM_BOOT_UNWRAP_H_
#define VMM_BOOT_UNWRAP_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "vmm/boot/codecs.h"
#include "vmm/boot/image_bytes.h"

namespace vmm {

// Returns the compression of a file that begins with `head`, or nothing. Besides the formats of a kernel's payload, it
// knows lz4's usual frame.
std::optional<Codec> IdentifyWrapping(std::span<const uint8_t> head);

// Returns the command line that unpacks such a file: "xz -dc FILE > kernel".
std::string UnpackCommand(Codec codec);

// Decompresses `file`. The bounds are the same as for a payload (payload.h): at most 256 MiB of input; at most 64 times
// the input or 16 MiB of output, whichever is more; never more than 1 GiB of output. InvalidArgument if the stream is
// damaged, cut short or over a limit, or if bytes follow its end. The message contains UnpackCommand().
absl::StatusOr<ImageBytes> Unwrap(const ImageBytes& file, Codec codec);

}  // namespace vmm

#endif  // VMM_BOOT_UNWRAP_H_
