// Decodes a compressed stream that is whole in memory into a buffer of known size, for each compression that a Linux
// kernel can be built with. No codec writes past the buffer, loops on bad input or takes more memory than its window.
#ifndef VMM_BOOT_CODECS_H_
#define VMM_BOOT_CODECS_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace vmm {

enum class Codec {
  kGzip,
  kBzip2,
  kLzma,
  kXz,
  kLzo,
  kLz4,  // the legacy frame, as the kernel's build makes it
  kZstd,
  kLz4Frame,  // lz4(1)'s default; used for whole files only, never in a payload
};

std::string_view CodecName(Codec codec);  // "gzip", "lz4", ...

enum class DecodeMode {
  kWhole,  // the stream must end where `stream` ends, and fit `out`
  kHead,   // stop when `out` is full
};

// Returns the number of bytes written to `out`. InvalidArgument if the stream is damaged or cut short. With kWhole,
// also if the stream holds more than `out` or if bytes follow its end.
absl::StatusOr<size_t> Decode(Codec codec, std::span<const uint8_t> stream, std::span<uint8_t> out, DecodeMode mode);

}  // namespace vmm

#endif  // VMM_BOOT_CODECS_H_
