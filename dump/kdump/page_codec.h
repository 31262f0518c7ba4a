// One page, compressed or decompressed, by each compression that a kdump file can name.
#ifndef DUMP_KDUMP_PAGE_CODEC_H_
#define DUMP_KDUMP_PAGE_CODEC_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"

struct libdeflate_compressor;
struct libdeflate_decompressor;
struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace vmm {

enum class KdumpCompression { kZlib, kZstd };

// Holds a context, which is far more costly to make than a page is to compress: one for each thread.
// The same page always becomes the same bytes, whatever was compressed before it.
class PageCompressor {
 public:
  explicit PageCompressor(KdumpCompression compression);
  ~PageCompressor();

  // Compresses a page into `out`, which has room for a page too. Returns the number of bytes, or 0
  // where it takes no fewer than the page.
  size_t Compress(std::span<const uint8_t> page, std::span<uint8_t> out);

  // What a page_desc says of such bytes: kDhCompressed...
  uint32_t flag() const;

 private:
  libdeflate_compressor* deflate_ = nullptr;
  ZSTD_CCtx_s* zstd_ = nullptr;
};

// As above, for reading. One for each thread.
class PageDecompressor {
 public:
  PageDecompressor() = default;
  ~PageDecompressor();

  // Fills `page` from `bytes`, compressed as `flags` of their page_desc says. DataLoss unless they hold
  // exactly one page, and nothing is ever written past it; Unimplemented for unknown flags.
  absl::Status Decompress(uint32_t flags, std::span<const uint8_t> bytes, std::span<uint8_t> page);

 private:
  libdeflate_decompressor* deflate_ = nullptr;
  ZSTD_DCtx_s* zstd_ = nullptr;
};

}  // namespace vmm

#endif  // DUMP_KDUMP_PAGE_CODEC_H_
