#include "vmm/boot/direct_image.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/image_window.h"
#include "vmm/boot/relocations.h"

namespace vmm {
namespace {

constexpr size_t kMagicSize = 16;  // more than any codec's magic

// Checks the payload's first bytes, so that a payload of unknown format is not read whole.
absl::Status CheckCodec(const ImageBytes& file, const BzImage& image) {
  if (image.payload_size == 0) return absl::UnimplementedError("the image has no payload (payload_length 0)");
  std::array<uint8_t, kMagicSize> magic{};
  const std::span<uint8_t> head = std::span(magic).first(std::min<uint64_t>(magic.size(), image.payload_size));
  RETURN_IF_ERROR(file.Read(image.payload_offset, head));
  if (!IdentifyCodec(head).has_value()) {
    return absl::UnimplementedError(absl::StrFormat("the payload begins with %02x %02x %02x %02x: no known compression",
                                                    magic[0], magic[1], magic[2], magic[3]));
  }
  if (image.payload_size > kPayloadMaxCompressed) {
    return absl::InvalidArgumentError(
        absl::StrFormat("payload_length %d is more than the limit of %d", image.payload_size, kPayloadMaxCompressed));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DirectImage> ReadDirectImage(const ImageBytes& file, const BzImage& image) {
  RETURN_IF_ERROR(CheckCodec(file, image));
  DirectImage direct;
  direct.compressed = std::make_unique_for_overwrite<uint8_t[]>(image.payload_size);
  const std::span<uint8_t> compressed{direct.compressed.get(), image.payload_size};
  RETURN_IF_ERROR(file.Read(image.payload_offset, compressed));
  ASSIGN_OR_RETURN(direct.payload, ParsePayload(compressed));

  std::array<uint8_t, kElfHeadSize> head{};
  RETURN_IF_ERROR(DecodePayloadHead(direct.payload, head));
  if (!IsElf(head)) return absl::UnimplementedError("the payload is not an ELF file");
  const auto elf_head = std::span(head).first(std::min<uint64_t>(head.size(), direct.payload.size));
  ASSIGN_OR_RETURN(direct.elf, Annotate(ParseElfKernel(elf_head, direct.payload.size), "payload"));

  const uint64_t init_size = image.header.init_size;
  if (init_size != 0 && direct.elf.extent.size > init_size) {  // 0: the protocol is older than 2.10
    return absl::InvalidArgumentError(
        absl::StrFormat("payload: its PT_LOADs take %#x bytes, init_size is %#x", direct.elf.extent.size, init_size));
  }
  direct.room = std::max(direct.elf.extent.size, init_size);
  return direct;
}

absl::Status PlaceDirectImage(const DirectImage& image, GuestAddr base, uint64_t shift, GuestMemory& memory) {
  std::vector<ImageWindow::Piece> pieces;
  for (const ElfSegment& segment : image.elf.segments) {
    if (segment.filesz == 0) continue;
    const uint64_t start = base.value + (segment.paddr - image.elf.extent.start.value);
    pieces.push_back({segment.offset, {GuestAddr{start}, segment.filesz}});
  }
  ASSIGN_OR_RETURN(ImageWindow window, ImageWindow::Create(memory, image.payload.size, pieces));
  RETURN_IF_ERROR(DecodePayload(image.payload, window.bytes()));
  if (shift != 0) RETURN_IF_ERROR(ApplyRelocations(window.bytes(), image.elf, shift).status());
  return window.Commit();
}

}  // namespace vmm
