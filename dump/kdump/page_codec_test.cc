#include "dump/kdump/page_codec.h"

#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <zlib.h>

#include <random>
#include <vector>

#include "dump/abi/kdump_abi.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes TextPage() {
  Bytes page;
  while (page.size() < 4096) {
    for (const char c : std::string("a kernel is full of strings like this one "))
      page.push_back(static_cast<uint8_t>(c));
  }
  page.resize(4096);
  return page;
}

Bytes RandomPage() {
  std::mt19937 random(1);
  Bytes page(4096);
  for (uint8_t& byte : page) byte = static_cast<uint8_t>(random());
  return page;
}

Bytes Compressed(PageCompressor& compressor, const Bytes& page) {
  Bytes out(4096);
  out.resize(compressor.Compress(page, out));
  return out;
}

TEST(PageCodecTest, APageComesBack) {
  for (const KdumpCompression compression : {KdumpCompression::kZlib, KdumpCompression::kZstd}) {
    PageCompressor compressor(compression);
    const Bytes small = Compressed(compressor, TextPage());
    EXPECT_GT(small.size(), 0u);
    EXPECT_LT(small.size(), 200u);
    Bytes page(4096);
    EXPECT_TRUE(PageDecompressor().Decompress(compressor.flag(), small, page).ok());
    EXPECT_EQ(page, TextPage());
  }
}

TEST(PageCodecTest, ARandomPageIsNotCompressed) {
  for (const KdumpCompression compression : {KdumpCompression::kZlib, KdumpCompression::kZstd}) {
    PageCompressor compressor(compression);
    EXPECT_TRUE(Compressed(compressor, RandomPage()).empty());
  }
}

TEST(PageCodecTest, WhatWasCompressedBeforeDoesNotShow) {
  for (const KdumpCompression compression : {KdumpCompression::kZlib, KdumpCompression::kZstd}) {
    PageCompressor fresh(compression), used(compression);
    for (int i = 0; i < 100; ++i) (void)Compressed(used, RandomPage());
    (void)Compressed(used, TextPage());
    EXPECT_EQ(Compressed(used, TextPage()), Compressed(fresh, TextPage()));
  }
}

TEST(PageCodecTest, ZlibsOwnDecoderReadsOurZlib) {
  PageCompressor compressor(KdumpCompression::kZlib);
  const Bytes small = Compressed(compressor, TextPage());
  Bytes page(4096);
  uLongf size = page.size();
  ASSERT_EQ(uncompress(page.data(), &size, small.data(), small.size()), Z_OK);
  EXPECT_EQ(page, TextPage());
}

TEST(PageCodecTest, LzoAndSnappyPagesAreRead) {
  Bytes page = TextPage();
  Bytes lzo(8192), work(LZO1X_1_MEM_COMPRESS);
  lzo_uint lzo_size = lzo.size();
  ASSERT_EQ(lzo1x_1_compress(page.data(), page.size(), lzo.data(), &lzo_size, work.data()), LZO_E_OK);
  lzo.resize(lzo_size);

  Bytes snappy(8192);
  size_t snappy_size = snappy.size();
  ASSERT_EQ(snappy_compress(reinterpret_cast<const char*>(page.data()), page.size(),
                            reinterpret_cast<char*>(snappy.data()), &snappy_size),
            SNAPPY_OK);
  snappy.resize(snappy_size);

  Bytes out(4096);
  PageDecompressor decompressor;
  EXPECT_TRUE(decompressor.Decompress(kDhCompressedLzo, lzo, out).ok());
  EXPECT_EQ(out, page);
  out.assign(4096, 0);
  EXPECT_TRUE(decompressor.Decompress(kDhCompressedSnappy, snappy, out).ok());
  EXPECT_EQ(out, page);
}

TEST(PageCodecTest, BytesThatAreNotOnePageAreRefused) {
  PageDecompressor decompressor;
  Bytes page(4096);
  for (const KdumpCompression compression : {KdumpCompression::kZlib, KdumpCompression::kZstd}) {
    PageCompressor compressor(compression);
    const Bytes whole = Compressed(compressor, TextPage());
    for (size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<long>(size));
      EXPECT_EQ(decompressor.Decompress(compressor.flag(), cut, page).code(), absl::StatusCode::kDataLoss) << size;
    }
    Bytes half(2048, 'x');
    Bytes less(2048);
    less.resize(compressor.Compress(half, less));
    EXPECT_FALSE(decompressor.Decompress(compressor.flag(), less, page).ok());
    Bytes two(8192, 'x');
    Bytes more(8192);
    more.resize(compressor.Compress(two, more));
    EXPECT_FALSE(decompressor.Decompress(compressor.flag(), more, page).ok());
  }
  EXPECT_FALSE(decompressor.Decompress(0, Bytes(4095), page).ok());
  EXPECT_EQ(decompressor.Decompress(0x40, Bytes(10), page).code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace vmm
