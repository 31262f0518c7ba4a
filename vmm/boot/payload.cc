#include "vmm/boot/payload.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {
namespace {

bool BeginsWith(std::span<const uint8_t> bytes, std::initializer_list<uint8_t> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

std::optional<Codec> IdentifyCodec(std::span<const uint8_t> bytes) {
  if (BeginsWith(bytes, {0x1f, 0x8b, 0x08})) return Codec::kGzip;
  if (BeginsWith(bytes, {'B', 'Z', 'h'})) return Codec::kBzip2;
  if (BeginsWith(bytes, {0x5d, 0x00, 0x00})) return Codec::kLzma;
  if (BeginsWith(bytes, {0xfd, '7', 'z', 'X', 'Z', 0x00})) return Codec::kXz;
  if (BeginsWith(bytes, {0x89, 'L', 'Z', 'O', 0x00, 0x0d, 0x0a, 0x1a, 0x0a})) return Codec::kLzo;
  if (BeginsWith(bytes, {0x02, 0x21, 0x4c, 0x18})) return Codec::kLz4;
  if (BeginsWith(bytes, {0x28, 0xb5, 0x2f, 0xfd})) return Codec::kZstd;
  return std::nullopt;
}

absl::StatusOr<Payload> ParsePayload(std::span<const uint8_t> bytes) {
  const std::optional<Codec> codec = IdentifyCodec(bytes);
  if (!codec.has_value()) {
    std::array<uint8_t, 4> magic{};
    std::copy_n(bytes.begin(), std::min(bytes.size(), magic.size()), magic.begin());
    return absl::InvalidArgumentError(absl::StrFormat("payload begins with %02x %02x %02x %02x: no known compression",
                                                      magic[0], magic[1], magic[2], magic[3]));
  }
  uint32_t size = 0;
  // The magic alone may be shorter than the size word, but a valid stream never is.
  if (bytes.size() < 2 * sizeof(size)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("payload_length %d is too short for a %s stream", bytes.size(), CodecName(*codec)));
  }
  std::memcpy(&size, bytes.data() + bytes.size() - sizeof(size), sizeof(size));

  const uint64_t limit = std::min(kKernelImageSize, std::max(kPayloadAlwaysAllowed, kPayloadMaxRatio * bytes.size()));
  if (size == 0 || size > limit) {
    return absl::InvalidArgumentError(absl::StrFormat("%s payload of %d bytes claims to decode to %d, the limit is %d",
                                                      CodecName(*codec), bytes.size(), size, limit));
  }
  // A gzip stream itself ends with its size. To all other streams the kernel's build appends the size.
  const size_t trailer = *codec == Codec::kGzip ? 0 : sizeof(size);
  return Payload{*codec, bytes.first(bytes.size() - trailer), size};
}

absl::Status DecodePayload(const Payload& payload, std::span<uint8_t> out) {
  absl::StatusOr<size_t> decoded = Decode(payload.codec, payload.stream, out, DecodeMode::kWhole);
  ASSIGN_OR_RETURN(const size_t size,
                   Annotate(std::move(decoded), absl::StrFormat("%s payload", CodecName(payload.codec))));
  if (size != out.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s payload decodes to %d bytes, it claims %d", CodecName(payload.codec), size, out.size()));
  }
  return absl::OkStatus();
}

absl::Status DecodePayloadHead(const Payload& payload, std::span<uint8_t> out) {
  const std::span<uint8_t> head = out.first(std::min<uint64_t>(out.size(), payload.size));
  absl::StatusOr<size_t> decoded = Decode(payload.codec, payload.stream, head, DecodeMode::kHead);
  ASSIGN_OR_RETURN(const size_t size,
                   Annotate(std::move(decoded), absl::StrFormat("%s payload", CodecName(payload.codec))));
  if (size != head.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s payload ends after %d bytes, it claims %d", CodecName(payload.codec), size, payload.size));
  }
  return absl::OkStatus();
}

}  // namespace vmm
