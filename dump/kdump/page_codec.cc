#include "dump/kdump/page_codec.h"

#include <libdeflate.h>
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <zstd.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/abi/kdump_abi.h"

namespace vmm {
namespace {

// Measured on the pages of stock kernels: both give smaller output than zlib level 1. libdeflate is one and a half
// times as fast as it, zstd three times.
constexpr int kDeflateLevel = 4;
constexpr int kZstdLevel = 3;

absl::Status Damaged(std::string_view name) {
  return absl::DataLossError(absl::StrFormat("its %s data is damaged, or not of one page", name));
}

bool UnLzo(std::span<const uint8_t> bytes, std::span<uint8_t> page) {
  lzo_uint size = page.size();
  return lzo1x_decompress_safe(bytes.data(), bytes.size(), page.data(), &size, nullptr) == LZO_E_OK &&
         size == page.size();
}

bool UnSnappy(std::span<const uint8_t> bytes, std::span<uint8_t> page) {
  const char* const in = reinterpret_cast<const char*>(bytes.data());
  size_t size = 0;
  if (snappy_uncompressed_length(in, bytes.size(), &size) != SNAPPY_OK || size != page.size()) return false;
  return snappy_uncompress(in, bytes.size(), reinterpret_cast<char*>(page.data()), &size) == SNAPPY_OK;
}

}  // namespace

PageCompressor::PageCompressor(KdumpCompression compression) {
  if (compression == KdumpCompression::kZlib) {
    deflate_ = libdeflate_alloc_compressor(kDeflateLevel);
  } else {
    zstd_ = ZSTD_createCCtx();
  }
}

PageCompressor::~PageCompressor() {
  libdeflate_free_compressor(deflate_);
  ZSTD_freeCCtx(zstd_);
}

// If memory was too short for a context, pages stay uncompressed.
size_t PageCompressor::Compress(std::span<const uint8_t> page, std::span<uint8_t> out) {
  const size_t room = std::min(out.size(), page.size() - 1);
  if (deflate_ != nullptr) return libdeflate_zlib_compress(deflate_, page.data(), page.size(), out.data(), room);
  if (zstd_ == nullptr) return 0;
  const size_t size = ZSTD_compressCCtx(zstd_, out.data(), room, page.data(), page.size(), kZstdLevel);
  return ZSTD_isError(size) != 0 ? 0 : size;
}

uint32_t PageCompressor::flag() const { return deflate_ != nullptr ? kDhCompressedZlib : kDhCompressedZstd; }

PageDecompressor::~PageDecompressor() {
  libdeflate_free_decompressor(deflate_);
  ZSTD_freeDCtx(zstd_);
}

absl::Status PageDecompressor::Decompress(uint32_t flags, std::span<const uint8_t> bytes, std::span<uint8_t> page) {
  switch (flags) {
    case 0:
      if (bytes.size() != page.size()) return Damaged("uncompressed");
      std::copy(bytes.begin(), bytes.end(), page.begin());
      return absl::OkStatus();
    case kDhCompressedZlib:
      if (deflate_ == nullptr) deflate_ = libdeflate_alloc_decompressor();
      if (deflate_ == nullptr) return absl::ResourceExhaustedError("no memory to decompress");
      // Without a pointer for the size, libdeflate accepts only data of exactly the page's size.
      if (libdeflate_zlib_decompress(deflate_, bytes.data(), bytes.size(), page.data(), page.size(), nullptr) !=
          LIBDEFLATE_SUCCESS) {
        return Damaged("zlib");
      }
      return absl::OkStatus();
    case kDhCompressedLzo: return UnLzo(bytes, page) ? absl::OkStatus() : Damaged("lzo");
    case kDhCompressedSnappy: return UnSnappy(bytes, page) ? absl::OkStatus() : Damaged("snappy");
    case kDhCompressedZstd:
      if (zstd_ == nullptr) zstd_ = ZSTD_createDCtx();
      if (zstd_ == nullptr) return absl::ResourceExhaustedError("no memory to decompress");
      if (ZSTD_decompressDCtx(zstd_, page.data(), page.size(), bytes.data(), bytes.size()) != page.size()) {
        return Damaged("zstd");
      }
      return absl::OkStatus();
    default: return absl::UnimplementedError(absl::StrFormat("page_desc.flags %#x name no known compression", flags));
  }
}

}  // namespace vmm
