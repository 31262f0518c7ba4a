#include "dump/kdump/page_bitmap.h"

#include <random>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(PageBitmapTest, ABitOfAPageIsWhereTheFormatSays) {
  PageBitmap bitmap(100);
  bitmap.SetRange(13, 14);
  EXPECT_EQ(bitmap.bytes()[1], 1 << 5);
  EXPECT_TRUE(bitmap.Test(13));
  EXPECT_FALSE(bitmap.Test(12));
  EXPECT_FALSE(bitmap.Test(100));
}

TEST(PageBitmapTest, RangesCountsAndSearchesAgreeWithAPlainArray) {
  std::mt19937_64 random(3);
  constexpr uint64_t kPages = 9001;
  PageBitmap bitmap(kPages);
  std::vector<bool> plain(kPages);
  for (int round = 0; round < 200; ++round) {
    const uint64_t first = random() % kPages, end = first + random() % 300;
    const bool set = random() % 3 != 0;
    set ? bitmap.SetRange(first, end) : bitmap.ClearRange(first, end);
    for (uint64_t i = first; i < std::min(end, kPages); ++i) plain[i] = set;
  }
  const PageRank rank(bitmap);
  uint64_t before = 0;
  for (uint64_t i = 0; i < kPages; ++i) {
    ASSERT_EQ(bitmap.Test(i), plain[i]) << i;
    ASSERT_EQ(rank.Before(i), before) << i;
    ASSERT_EQ(bitmap.Count(0, i), before) << i;
    before += plain[i];
    for (const bool value : {false, true}) {
      uint64_t expected = i;
      while (expected < kPages && plain[expected] != value) ++expected;
      ASSERT_EQ(bitmap.Find(i, value), expected) << i;
    }
  }
  EXPECT_EQ(rank.Before(kPages), bitmap.Count());
}

TEST(PageBitmapTest, BitsPastTheEndAreDropped) {
  const std::vector<uint8_t> ones(64, 0xff);
  const PageBitmap bitmap(67, ones);
  EXPECT_EQ(bitmap.Count(), 67u);
  EXPECT_EQ(bitmap.bytes().size(), 16u);
  EXPECT_EQ(bitmap.bytes()[8], 7);
  EXPECT_EQ(bitmap.bytes()[9], 0);
}

TEST(PageBitmapTest, BytesThatAreMissingAreClear) {
  const std::vector<uint8_t> ones(2, 0xff);
  EXPECT_EQ(PageBitmap(1000, ones).Count(), 16u);
}

}  // namespace
}  // namespace vmm
