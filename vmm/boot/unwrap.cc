#include "vmm/boot/unwrap.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/boot/payload.h"

namespace vmm {
namespace {

constexpr std::array<uint8_t, 4> kLz4FrameMagic{0x04, 0x22, 0x4d, 0x18};

// Maps room for the longest output. Pages that nothing is decoded to cost nothing.
absl::StatusOr<MappedBytes> MapRoom(uint64_t size) {
  void* const base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return ErrnoStatus(errno, absl::StrFormat("map %d bytes to decompress a file", size));
  return MappedBytes(static_cast<uint8_t*>(base), Unmap{size});
}

absl::StatusOr<ImageBytes> Decompress(const ImageBytes& file, Codec codec) {
  if (file.size() > kPayloadMaxCompressed) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d bytes are more than the limit of %d", file.size(), kPayloadMaxCompressed));
  }
  const auto compressed = std::make_unique_for_overwrite<uint8_t[]>(file.size());
  const std::span<uint8_t> stream{compressed.get(), file.size()};
  RETURN_IF_ERROR(file.Read(0, stream));

  const uint64_t limit = std::min(kKernelImageSize, std::max(kPayloadAlwaysAllowed, kPayloadMaxRatio * file.size()));
  ASSIGN_OR_RETURN(MappedBytes room, MapRoom(limit));
  ASSIGN_OR_RETURN(const size_t size, Decode(codec, stream, {room.get(), limit}, DecodeMode::kWhole));
  if (size == 0) return absl::InvalidArgumentError("it decompresses to nothing");
  return ImageBytes(std::move(room), size);
}

}  // namespace

std::optional<Codec> IdentifyWrapping(std::span<const uint8_t> head) {
  if (head.size() >= kLz4FrameMagic.size() && std::equal(kLz4FrameMagic.begin(), kLz4FrameMagic.end(), head.begin())) {
    return Codec::kLz4Frame;
  }
  return IdentifyCodec(head);
}

std::string UnpackCommand(Codec codec) {
  // xz also reads lzma's old format, and lz4 reads both of its own.
  const std::string_view program = codec == Codec::kLzma ? "xz" : codec == Codec::kLzo ? "lzop" : CodecName(codec);
  return absl::StrFormat("%s -dc FILE > kernel", program);
}

absl::StatusOr<ImageBytes> Unwrap(const ImageBytes& file, Codec codec) {
  absl::StatusOr<ImageBytes> bytes = Decompress(file, codec);
  if (bytes.ok()) return bytes;
  return absl::Status(bytes.status().code(),
                      absl::StrFormat("it is %s-compressed, and cannot be unpacked here (%s); try: %s",
                                      CodecName(codec), bytes.status().message(), UnpackCommand(codec)));
}

}  // namespace vmm
