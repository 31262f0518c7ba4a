// The compressed kernel inside a bzImage: which format it is, how long it says it will be,
// and its decoding. The formats are those of the kernel's own build (scripts/Makefile.lib);
// well-kept libraries do the work (vmm/boot/codecs.h).
#ifndef VMM_BOOT_PAYLOAD_H_
#define VMM_BOOT_PAYLOAD_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vmm/boot/codecs.h"

namespace vmm {

// Bounds on the decoded size that a payload may claim, so that a small file can cost neither
// much time nor much memory: 64 times its compressed size (kernels are at 4 to 9), but 16 MiB
// in any case, and KERNEL_IMAGE_SIZE at most.
inline constexpr uint64_t kPayloadMaxRatio = 64;
inline constexpr uint64_t kPayloadAlwaysAllowed = 16ull << 20;
// On the compressed size, which is held in memory while it is decoded.
inline constexpr uint64_t kPayloadMaxCompressed = 256ull << 20;

struct Payload {
  Codec codec = Codec::kGzip;
  std::span<const uint8_t> stream;  // without the size word behind it; not owned
  uint64_t size = 0;                // decoded, as the payload claims: exactly this much or an error
};

// The format that begins with `bytes`, or nothing where none of them does.
std::optional<Codec> IdentifyCodec(std::span<const uint8_t> bytes);

// Takes `bytes`, the payload_length bytes of the image, apart. InvalidArgument for an unknown
// format, or a claimed size past the bounds above.
absl::StatusOr<Payload> ParsePayload(std::span<const uint8_t> bytes);

// Decodes into `out`, payload.size() bytes. InvalidArgument where the stream is damaged, cut,
// decodes to more or less than that, or has bytes behind its end.
absl::Status DecodePayload(const Payload& payload, std::span<uint8_t> out);

// Decodes only the first bytes, as many as `out` holds (fewer where the payload is shorter;
// the rest of `out` is left alone). Costs as much as these bytes do, not as the payload.
absl::Status DecodePayloadHead(const Payload& payload, std::span<uint8_t> out);

}  // namespace vmm

#endif  // VMM_BOOT_PAYLOAD_H_
