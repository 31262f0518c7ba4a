#include "vmm/boot/testing/compress.h"

#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace vmm {
namespace {

constexpr size_t kLz4LegacyBlock = 8 << 20;
constexpr size_t kLzopBlock = 256 << 10;
constexpr size_t kRoom = 64 << 10;  // bytes; more than any format adds to incompressible data

// These libraries fail here only if memory runs out. Then a test cannot say anything useful.
void Require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "compress for a test: %s\n", what);
  std::abort();
}

std::vector<uint8_t> Gzip(std::span<const uint8_t> data) {
  z_stream z = {};
  Require(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK, "gzip");
  std::vector<uint8_t> out(data.size() + kRoom);
  z.next_in = const_cast<Bytef*>(data.data());
  z.avail_in = static_cast<uInt>(data.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  Require(deflate(&z, Z_FINISH) == Z_STREAM_END, "gzip");
  out.resize(out.size() - z.avail_out);
  deflateEnd(&z);
  return out;
}

std::vector<uint8_t> Bzip2(std::span<const uint8_t> data) {
  std::vector<uint8_t> out(data.size() + data.size() / 64 + kRoom);
  auto size = static_cast<unsigned>(out.size());
  char* const source = const_cast<char*>(reinterpret_cast<const char*>(data.data()));
  Require(BZ2_bzBuffToBuffCompress(reinterpret_cast<char*>(out.data()), &size, source,
                                   static_cast<unsigned>(data.size()), 9, 0, 0) == BZ_OK,
          "bzip2");
  out.resize(size);
  return out;
}

std::vector<uint8_t> Lzma(Codec codec, std::span<const uint8_t> data) {
  lzma_options_lzma options;
  Require(!lzma_lzma_preset(&options, 1), "lzma preset");
  lzma_filter filters[] = {{LZMA_FILTER_X86, nullptr}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  lzma_stream lzma = LZMA_STREAM_INIT;
  const lzma_ret init =
      codec == Codec::kXz ? lzma_stream_encoder(&lzma, filters, LZMA_CHECK_CRC32) : lzma_alone_encoder(&lzma, &options);
  Require(init == LZMA_OK, "lzma");
  std::vector<uint8_t> out(data.size() + kRoom);
  lzma.next_in = data.data();
  lzma.avail_in = data.size();
  lzma.next_out = out.data();
  lzma.avail_out = out.size();
  Require(lzma_code(&lzma, LZMA_FINISH) == LZMA_STREAM_END, "lzma");
  out.resize(out.size() - lzma.avail_out);
  lzma_end(&lzma);
  return out;
}

void PutBigEndian(std::vector<uint8_t>& out, uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

// The format that `lzop -9` writes to a pipe, except for the checksums, which nothing here compares.
std::vector<uint8_t> Lzop(std::span<const uint8_t> data) {
  Require(lzo_init() == LZO_E_OK, "lzo");
  std::vector<uint8_t> out{0x89, 'L', 'Z', 'O', 0x00, 0x0d, 0x0a, 0x1a, 0x0a};
  PutBigEndian(out, 0x1040, 2);      // version
  PutBigEndian(out, 0x20a0, 2);      // library version
  PutBigEndian(out, 0x0940, 2);      // version needed
  PutBigEndian(out, 3, 1);           // method: LZO1X-999
  PutBigEndian(out, 9, 1);           // level
  PutBigEndian(out, 0x03000001, 4);  // flags: Adler-32 of the decoded data, made on Unix
  PutBigEndian(out, 0, 4);           // mode
  PutBigEndian(out, 0, 4);           // mtime
  PutBigEndian(out, 0, 4);           // upper half of mtime
  PutBigEndian(out, 0, 1);           // no name
  PutBigEndian(out, 0, 4);           // header checksum
  std::vector<uint8_t> work(LZO1X_1_MEM_COMPRESS);
  for (size_t at = 0; at < data.size(); at += kLzopBlock) {
    const std::span<const uint8_t> block = data.subspan(at, std::min(kLzopBlock, data.size() - at));
    std::vector<uint8_t> packed(block.size() + kRoom);
    lzo_uint size = packed.size();
    Require(lzo1x_1_compress(block.data(), block.size(), packed.data(), &size, work.data()) == LZO_E_OK, "lzo");
    packed.resize(size);
    if (size >= block.size()) packed.assign(block.begin(), block.end());
    PutBigEndian(out, static_cast<uint32_t>(block.size()), 4);
    PutBigEndian(out, static_cast<uint32_t>(packed.size()), 4);
    PutBigEndian(out, 0, 4);  // the Adler-32
    out.insert(out.end(), packed.begin(), packed.end());
  }
  PutBigEndian(out, 0, 4);
  return out;
}

std::vector<uint8_t> Lz4Legacy(std::span<const uint8_t> data) {
  std::vector<uint8_t> out{0x02, 0x21, 0x4c, 0x18};
  for (size_t at = 0; at < data.size(); at += kLz4LegacyBlock) {
    const std::span<const uint8_t> block = data.subspan(at, std::min(kLz4LegacyBlock, data.size() - at));
    std::vector<char> packed(LZ4_compressBound(static_cast<int>(block.size())));
    const int size = LZ4_compress_default(reinterpret_cast<const char*>(block.data()), packed.data(),
                                          static_cast<int>(block.size()), static_cast<int>(packed.size()));
    Require(size > 0, "lz4");
    for (int i = 0; i < 4; ++i) out.push_back(static_cast<uint8_t>(size >> (8 * i)));
    out.insert(out.end(), packed.begin(), packed.begin() + size);
  }
  return out;
}

std::vector<uint8_t> Zstd(std::span<const uint8_t> data) {
  std::vector<uint8_t> out(ZSTD_compressBound(data.size()));
  const size_t size = ZSTD_compress(out.data(), out.size(), data.data(), data.size(), 3);
  Require(!ZSTD_isError(size), "zstd");
  out.resize(size);
  return out;
}

}  // namespace

std::vector<uint8_t> Compress(Codec codec, std::span<const uint8_t> data) {
  switch (codec) {
    case Codec::kGzip: return Gzip(data);
    case Codec::kBzip2: return Bzip2(data);
    case Codec::kLzma:
    case Codec::kXz: return Lzma(codec, data);
    case Codec::kLzo: return Lzop(data);
    case Codec::kLz4: return Lz4Legacy(data);
    case Codec::kZstd: return Zstd(data);
    case Codec::kLz4Frame: break;  // no test needs one
  }
  return {};
}

}  // namespace vmm
