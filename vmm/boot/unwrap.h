// A kernel file that was compressed as a whole, such as vmlinux.gz: one layer is taken off.
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

// The compression that a file beginning with `head` is in, or nothing. Beside those of a
// kernel's payload this knows lz4's usual frame.
std::optional<Codec> IdentifyWrapping(std::span<const uint8_t> head);

// The command line that unpacks such a file: "xz -dc FILE > kernel".
std::string UnpackCommand(Codec codec);

// Decompresses `file`. The bounds are those of a payload (payload.h): at most 256 MiB of input,
// 64 times that or 16 MiB of output, 1 GiB in any case. InvalidArgument where the stream is
// damaged, cut, over a limit or has bytes behind its end; the message has UnpackCommand() in it.
absl::StatusOr<ImageBytes> Unwrap(const ImageBytes& file, Codec codec);

}  // namespace vmm

#endif  // VMM_BOOT_UNWRAP_H_
