// Compresses or decompresses one page, with any compression that a kdump file can name.
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

// Holds a context. Making one costs far more than compressing a page, so each thread should keep one. The same page
// always becomes the same bytes, whatever was compressed before it.
class PageCompressor {
 public:
  explicit PageCompressor(KdumpCompression compression);
  ~PageCompressor();

  // Compresses a page into `out`, which must also have room for a page. Returns the number of bytes, or 0 if the
  // compressed page would be no smaller than the page.
  size_t Compress(std::span<const uint8_t> page, std::span<uint8_t> out);

  // The flag of a page_desc for such bytes: kDhCompressed...
  uint32_t flag() const;

 private:
  libdeflate_compressor* deflate_ = nullptr;
  ZSTD_CCtx_s* zstd_ = nullptr;
};

// The same for reading. Each thread should keep one.
class PageDecompressor {
 public:
  PageDecompressor() = default;
  ~PageDecompressor();

  // Fills `page` from `bytes`, which are compressed as the `flags` of their page_desc say. DataLoss unless they hold
  // exactly one page. Never writes past `page`. Unimplemented for unknown flags.
  absl::Status Decompress(uint32_t flags, std::span<const uint8_t> bytes, std::span<uint8_t> page);

 private:
  libdeflate_decompressor* deflate_ = nullptr;
  ZSTD_DCtx_s* zstd_ = nullptr;
};

}  // namespace vmm

#endif  // DUMP_KDUMP_PAGE_CODEC_H_
