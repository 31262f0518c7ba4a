// The compressed kernel inside a bzImage: finds its format and its claimed decoded size, and decodes it. The formats
// are those of the kernel's own build (scripts/Makefile.lib). Well-kept libraries do the work (vmm/boot/codecs.h).
#ifndef VMM_BOOT_PAYLOAD_H_
#define VMM_BOOT_PAYLOAD_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vmm/boot/codecs.h"

namespace vmm {

// Bounds on the decoded size that a payload may claim, so that a small file can cost neither much time nor much memory.
// The limit is 64 times its compressed size (kernels are at 4 to 9). 16 MiB are always allowed, and KERNEL_IMAGE_SIZE
// is the maximum.
inline constexpr uint64_t kPayloadMaxRatio = 64;
inline constexpr uint64_t kPayloadAlwaysAllowed = 16ull << 20;
// Bound on the compressed size, because the compressed bytes are held in memory while they are decoded.
inline constexpr uint64_t kPayloadMaxCompressed = 256ull << 20;

struct Payload {
  Codec codec = Codec::kGzip;
  std::span<const uint8_t> stream;  // without the size word that follows it; not owned
  uint64_t size = 0;                // the decoded size that the payload claims; decoding to any other size is an error
};

// Returns the format that begins with `bytes`, or nothing if no format does.
std::optional<Codec> IdentifyCodec(std::span<const uint8_t> bytes);

// Parses `bytes`, the payload_length bytes of the image. InvalidArgument if the format is unknown or the claimed size
// is past the bounds above.
absl::StatusOr<Payload> ParsePayload(std::span<const uint8_t> bytes);

// Decodes into `out`, which has payload.size bytes. InvalidArgument if the stream is damaged or cut short, if it
// decodes to more or less than that, or if bytes follow its end.
absl::Status DecodePayload(const Payload& payload, std::span<uint8_t> out);

// Decodes only the first bytes, as many as `out` holds. If the payload is shorter, it decodes fewer and leaves the rest
// of `out` unchanged. The cost depends on the bytes decoded, not on the size of the payload.
absl::Status DecodePayloadHead(const Payload& payload, std::span<uint8_t> out);

}  // namespace vmm

#endif  // VMM_BOOT_PAYLOAD_H_
