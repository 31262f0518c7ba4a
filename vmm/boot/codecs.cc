#include "vmm/boot/codecs.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/lzop.h"

namespace vmm {
namespace {

// The kernel's build uses dictionaries of 32 MiB, and of 128 MiB since 2024.
constexpr uint64_t kLzmaMemoryLimit = 192ull << 20;
constexpr size_t kLz4LegacyMagicSize = 4;
constexpr size_t kLz4LegacyBlock = 8 << 20;  // every block but the last decodes to this

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }
absl::Status CutShort() { return Bad("the stream is cut short"); }
absl::Status TooLong(size_t limit) {
  return Bad(absl::StrFormat("the stream decodes to more than the %d bytes it may", limit));
}

// The rules for every codec whose stream has ended.
absl::StatusOr<size_t> Ended(size_t written, size_t left, DecodeMode mode) {
  if (mode == DecodeMode::kWhole && left != 0)
    return Bad(absl::StrFormat("%d bytes follow the end of the stream", left));
  return written;
}

// The rules for a codec that stopped before the end of its stream, because it ran out of output or input.
absl::StatusOr<size_t> Stopped(std::span<uint8_t> out, size_t room, DecodeMode mode) {
  if (room != 0) return CutShort();
  if (mode == DecodeMode::kWhole) return TooLong(out.size());
  return out.size();
}

absl::StatusOr<size_t> DecodeGzip(std::span<const uint8_t> stream, std::span<uint8_t> out, DecodeMode mode) {
  z_stream z = {};
  if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return absl::ResourceExhaustedError("zlib: out of memory");
  const std::unique_ptr<z_stream, void (*)(z_stream*)> cleanup(&z, [](z_stream* s) { inflateEnd(s); });
  z.next_in = const_cast<Bytef*>(stream.data());
  z.avail_in = static_cast<uInt>(stream.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  // This call reads on after the last byte of output, because the trailer may still be unread.
  const int result = inflate(&z, Z_FINISH);
  if (result == Z_STREAM_END) return Ended(out.size() - z.avail_out, z.avail_in, mode);
  if (result == Z_BUF_ERROR || result == Z_OK) return Stopped(out, z.avail_out, mode);
  return Bad(absl::StrFormat("zlib: %s", z.msg != nullptr ? z.msg : "damaged stream"));
}

absl::StatusOr<size_t> DecodeBzip2(std::span<const uint8_t> stream, std::span<uint8_t> out, DecodeMode mode) {
  bz_stream bz = {};
  if (BZ2_bzDecompressInit(&bz, 0, 0) != BZ_OK) return absl::ResourceExhaustedError("bzip2: out of memory");
  const std::unique_ptr<bz_stream, void (*)(bz_stream*)> cleanup(&bz, [](bz_stream* s) { BZ2_bzDecompressEnd(s); });
  bz.next_in = const_cast<char*>(reinterpret_cast<const char*>(stream.data()));
  bz.avail_in = static_cast<unsigned>(stream.size());
  bz.next_out = reinterpret_cast<char*>(out.data());
  bz.avail_out = static_cast<unsigned>(out.size());
  int result = BZ2_bzDecompress(&bz);
  if (result == BZ_OK && bz.avail_out == 0 && mode == DecodeMode::kWhole) {
    // bzip2 may notice the end of its stream only when it is asked for one more byte.
    char spare = 0;
    bz.next_out = &spare;
    bz.avail_out = 1;
    result = BZ2_bzDecompress(&bz);
    if (bz.avail_out == 0) return TooLong(out.size());
    if (result == BZ_OK) return CutShort();
    if (result == BZ_STREAM_END) return Ended(out.size(), bz.avail_in, mode);
  }
  if (result == BZ_STREAM_END) return Ended(out.size() - bz.avail_out, bz.avail_in, mode);
  if (result == BZ_OK) return Stopped(out, bz.avail_out, mode);
  return Bad(absl::StrFormat("bzip2: damaged stream (error %d)", result));
}

absl::StatusOr<size_t> DecodeLzma(Codec codec, std::span<const uint8_t> stream, std::span<uint8_t> out,
                                  DecodeMode mode) {
  lzma_stream lzma = LZMA_STREAM_INIT;
  const lzma_ret init = codec == Codec::kXz ? lzma_stream_decoder(&lzma, kLzmaMemoryLimit, 0)
                                            : lzma_alone_decoder(&lzma, kLzmaMemoryLimit);
  if (init != LZMA_OK) return absl::ResourceExhaustedError("liblzma: out of memory");
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> cleanup(&lzma, lzma_end);
  lzma.next_in = stream.data();
  lzma.avail_in = stream.size();
  lzma.next_out = out.data();
  lzma.avail_out = out.size();
  lzma_ret result = LZMA_OK;
  while (result == LZMA_OK && !(mode == DecodeMode::kHead && lzma.avail_out == 0))
    result = lzma_code(&lzma, LZMA_FINISH);
  switch (result) {
    case LZMA_STREAM_END: return Ended(out.size() - lzma.avail_out, lzma.avail_in, mode);
    case LZMA_OK:
    case LZMA_BUF_ERROR: return Stopped(out, lzma.avail_out, mode);
    case LZMA_MEMLIMIT_ERROR:
      return Bad(absl::StrFormat("liblzma: its dictionary needs %d bytes of memory, the limit is %d",
                                 lzma_memusage(&lzma), kLzmaMemoryLimit));
    case LZMA_OPTIONS_ERROR: return Bad("liblzma: filters or options that it does not know");
    case LZMA_MEM_ERROR: return absl::ResourceExhaustedError("liblzma: out of memory");
    default: return Bad(absl::StrFormat("liblzma: damaged stream (error %d)", result));
  }
}

// The legacy frame of `lz4 -l`: the magic, then blocks. A block is a u32 length, followed by that many bytes. There is
// no end mark: the frame ends with its last byte.
absl::StatusOr<size_t> DecodeLz4Legacy(std::span<const uint8_t> stream, std::span<uint8_t> out, DecodeMode mode) {
  size_t written = 0;
  size_t at = kLz4LegacyMagicSize;
  while (at < stream.size()) {
    uint32_t length = 0;
    if (stream.size() - at < sizeof(length)) return CutShort();
    std::memcpy(&length, stream.data() + at, sizeof(length));
    at += sizeof(length);
    if (length == 0 || length > LZ4_COMPRESSBOUND(kLz4LegacyBlock)) {
      return Bad(absl::StrFormat("lz4 block length %d at offset %d is not from 1 to %d", length, at - sizeof(length),
                                 LZ4_COMPRESSBOUND(kLz4LegacyBlock)));
    }
    if (length > stream.size() - at) return CutShort();

    const size_t room = std::min(out.size() - written, kLz4LegacyBlock);
    const char* const source = reinterpret_cast<const char*>(stream.data() + at);
    char* const target = reinterpret_cast<char*>(out.data() + written);
    const int decoded = mode == DecodeMode::kHead
                            ? LZ4_decompress_safe_partial(source, target, static_cast<int>(length),
                                                          static_cast<int>(room), static_cast<int>(room))
                            : LZ4_decompress_safe(source, target, static_cast<int>(length), static_cast<int>(room));
    if (decoded < 0) {
      return Bad(
          absl::StrFormat("lz4 block at offset %d is damaged or decodes to more than the %d bytes left", at, room));
    }
    written += static_cast<size_t>(decoded);
    at += length;
    if (mode == DecodeMode::kHead && written == out.size()) return written;
  }
  return written;
}

absl::StatusOr<size_t> DecodeLz4Frame(std::span<const uint8_t> stream, std::span<uint8_t> out, DecodeMode mode) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
    return absl::ResourceExhaustedError("lz4: out of memory");
  }
  const std::unique_ptr<LZ4F_dctx, void (*)(LZ4F_dctx*)> cleanup(
      context, [](LZ4F_dctx* done) { LZ4F_freeDecompressionContext(done); });
  size_t written = 0;
  size_t read = 0;
  while (true) {
    size_t room = out.size() - written;
    size_t taken = stream.size() - read;
    const size_t left = LZ4F_decompress(context, out.data() + written, &room, stream.data() + read, &taken, nullptr);
    if (LZ4F_isError(left) != 0) return Bad(absl::StrFormat("lz4: %s", LZ4F_getErrorName(left)));
    written += room;
    read += taken;
    if (left == 0) return Ended(written, stream.size() - read, mode);
    if (room == 0 && taken == 0) return Stopped(out, out.size() - written, mode);
  }
}

absl::StatusOr<size_t> DecodeZstd(std::span<const uint8_t> stream, std::span<uint8_t> out, DecodeMode mode) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> zstd(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (zstd == nullptr) return absl::ResourceExhaustedError("zstd: out of memory");
  if (mode == DecodeMode::kHead) {
    ZSTD_inBuffer in{stream.data(), stream.size(), 0};
    ZSTD_outBuffer head{out.data(), out.size(), 0};
    while (head.pos < head.size) {
      const size_t result = ZSTD_decompressStream(zstd.get(), &head, &in);
      if (ZSTD_isError(result)) return Bad(absl::StrFormat("zstd: %s", ZSTD_getErrorName(result)));
      if (result == 0) break;
      if (in.pos == in.size && head.pos < head.size) return CutShort();
    }
    return head.pos;
  }
  // One call decodes everything, so that `out` itself is the window, however large that is.
  const size_t frame = ZSTD_findFrameCompressedSize(stream.data(), stream.size());
  if (ZSTD_isError(frame)) return Bad(absl::StrFormat("zstd: %s", ZSTD_getErrorName(frame)));
  const size_t result = ZSTD_decompressDCtx(zstd.get(), out.data(), out.size(), stream.data(), frame);
  if (ZSTD_isError(result)) return Bad(absl::StrFormat("zstd: %s", ZSTD_getErrorName(result)));
  return Ended(result, stream.size() - frame, mode);
}

}  // namespace

std::string_view CodecName(Codec codec) {
  switch (codec) {
    case Codec::kGzip: return "gzip";
    case Codec::kBzip2: return "bzip2";
    case Codec::kLzma: return "lzma";
    case Codec::kXz: return "xz";
    case Codec::kLzo: return "lzo";
    case Codec::kLz4:
    case Codec::kLz4Frame: return "lz4";
    case Codec::kZstd: return "zstd";
  }
  return "unknown";
}

absl::StatusOr<size_t> Decode(Codec codec, std::span<const uint8_t> stream, std::span<uint8_t> out, DecodeMode mode) {
  switch (codec) {
    case Codec::kGzip: return DecodeGzip(stream, out, mode);
    case Codec::kBzip2: return DecodeBzip2(stream, out, mode);
    case Codec::kLzma:
    case Codec::kXz: return DecodeLzma(codec, stream, out, mode);
    case Codec::kLzo: return DecodeLzop(stream, out, mode == DecodeMode::kHead);
    case Codec::kLz4: return DecodeLz4Legacy(stream, out, mode);
    case Codec::kZstd: return DecodeZstd(stream, out, mode);
    case Codec::kLz4Frame: return DecodeLz4Frame(stream, out, mode);
  }
  return absl::InternalError("unknown codec");
}

}  // namespace vmm
