#include "vmm/boot/lzop.h"

#include <lzo/lzo1x.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// lzop's own format, as in its source (conf.h, lzop.c) and in the kernel's lib/decompress_unlzo.c. All numbers are big
// endian.
constexpr size_t kMagicSize = 9;
constexpr uint16_t kVersionWithLevel = 0x940;  // from this version on, there are a level and the upper half of mtime
constexpr uint32_t kFlagAdler32Decoded = 1 << 0;
constexpr uint32_t kFlagAdler32Stored = 1 << 1;
constexpr uint32_t kFlagCrc32Decoded = 1 << 8;
constexpr uint32_t kFlagCrc32Stored = 1 << 9;
constexpr uint32_t kFlagFilter = 1 << 11;
constexpr uint32_t kBlockMax = 64 << 20;  // lzop's MAX_BLOCK_SIZE; lzop writes 256 KiB

absl::Status CutShort() { return absl::InvalidArgumentError("the stream is cut short"); }

// Reads big-endian numbers from the front of a span. After the end, all reads return 0 and ok() is false.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint32_t Number(size_t size) {
    uint32_t value = 0;
    for (const uint8_t byte : Bytes(size)) value = value << 8 | byte;
    return value;
  }
  std::span<const uint8_t> Bytes(size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::span<const uint8_t> front = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return front;
  }
  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

 private:
  std::span<const uint8_t> bytes_;
  bool ok_ = true;
};

// Reads up to the first block. Returns the flags.
uint32_t ReadHeader(Reader& reader) {
  reader.Bytes(kMagicSize);
  const uint32_t version = reader.Number(2);
  reader.Bytes(2 + 2 + 1);  // library version, version needed, method
  if (version >= kVersionWithLevel) reader.Bytes(1);
  const uint32_t flags = reader.Number(4);
  if ((flags & kFlagFilter) != 0) reader.Bytes(4);
  reader.Bytes(4 + 4);  // mode, mtime
  if (version >= kVersionWithLevel) reader.Bytes(4);
  reader.Bytes(reader.Number(1));  // name
  reader.Bytes(4);                 // header checksum
  return flags;
}

absl::Status DecodeBlock(std::span<const uint8_t> block, std::span<uint8_t> out) {
  if (block.size() == out.size()) {  // stored uncompressed, because compression did not make it smaller
    std::copy(block.begin(), block.end(), out.begin());
    return absl::OkStatus();
  }
  lzo_uint size = out.size();
  const int result = lzo1x_decompress_safe(block.data(), block.size(), out.data(), &size, nullptr);
  if (result != LZO_E_OK || size != out.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("lzo block is damaged (error %d, %d of %d bytes)", result, size, out.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<size_t> DecodeLzop(std::span<const uint8_t> stream, std::span<uint8_t> out, bool head_only) {
  if (lzo_init() != LZO_E_OK) return absl::InternalError("lzo_init failed");
  Reader reader(stream);
  const uint32_t flags = ReadHeader(reader);
  const size_t decoded_sums = ((flags & kFlagAdler32Decoded) != 0 ? 4 : 0) + ((flags & kFlagCrc32Decoded) != 0 ? 4 : 0);
  const size_t stored_sums = ((flags & kFlagAdler32Stored) != 0 ? 4 : 0) + ((flags & kFlagCrc32Stored) != 0 ? 4 : 0);

  size_t written = 0;
  while (true) {
    const uint32_t decoded_size = reader.Number(4);
    if (!reader.ok()) return CutShort();
    if (decoded_size == 0) break;  // the end mark
    const uint32_t stored_size = reader.Number(4);
    reader.Bytes(decoded_sums + (stored_size < decoded_size ? stored_sums : 0));
    if (decoded_size > kBlockMax || stored_size > decoded_size) {
      return absl::InvalidArgumentError(absl::StrFormat("lzo block of %d bytes for %d decoded, the limit is %d",
                                                        stored_size, decoded_size, kBlockMax));
    }
    const std::span<const uint8_t> block = reader.Bytes(stored_size);
    if (!reader.ok()) return CutShort();

    const std::span<uint8_t> room = out.subspan(written);
    if (decoded_size <= room.size()) {
      RETURN_IF_ERROR(DecodeBlock(block, room.first(decoded_size)));
      written += decoded_size;
      continue;
    }
    if (!head_only) {
      return absl::InvalidArgumentError(
          absl::StrFormat("the stream decodes to more than the %d bytes it may", out.size()));
    }
    const auto whole = std::make_unique_for_overwrite<uint8_t[]>(decoded_size);
    RETURN_IF_ERROR(DecodeBlock(block, {whole.get(), decoded_size}));
    std::copy_n(whole.get(), room.size(), room.begin());
    return out.size();
  }
  if (!head_only && reader.left() != 0) {
    return absl::InvalidArgumentError(absl::StrFormat("%d bytes follow the end of the stream", reader.left()));
  }
  return written;
}

}  // namespace vmm
