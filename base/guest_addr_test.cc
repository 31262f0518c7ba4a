#include "base/guest_addr.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(GuestAddrTest, ASumThatPassesTheTopIsNoAddress) {
  EXPECT_EQ(GuestAddr{1}.Plus(2)->value, 3u);
  EXPECT_FALSE(GuestAddr{kMax}.Plus(1).has_value());
}

TEST(GuestRangeTest, ARangeMayEndExactlyAtTheTopOfTheAddressSpace) {
  const GuestRange top{GuestAddr{kMax - 0xfff}, 0x1000};
  EXPECT_TRUE(top.IsValid());
  EXPECT_TRUE(top.Contains(GuestAddr{kMax}));
  EXPECT_FALSE((GuestRange{GuestAddr{kMax}, 2}).IsValid());
}

TEST(GuestRangeTest, ContainsIsExactAtBothEdges) {
  const GuestRange r{GuestAddr{0x1000}, 0x1000};
  EXPECT_FALSE(r.Contains(GuestAddr{0xfff}));
  EXPECT_TRUE(r.Contains(GuestAddr{0x1000}));
  EXPECT_TRUE(r.Contains(GuestAddr{0x1fff}));
  EXPECT_FALSE(r.Contains(GuestAddr{0x2000}));
  EXPECT_TRUE(r.Contains(GuestRange{GuestAddr{0x1000}, 0x1000}));
  EXPECT_FALSE(r.Contains(GuestRange{GuestAddr{0x1001}, 0x1000}));
  EXPECT_FALSE(r.Contains(GuestRange{GuestAddr{0x1800}, kMax}));
  EXPECT_TRUE(r.Contains(GuestRange{GuestAddr{0x2000}, 0}));
}

TEST(GuestRangeTest, NeighboursDoNotOverlap) {
  const GuestRange r{GuestAddr{0x1000}, 0x1000};
  EXPECT_FALSE(r.Overlaps({GuestAddr{0x2000}, 1}));
  EXPECT_FALSE(r.Overlaps({GuestAddr{0}, 0x1000}));
  EXPECT_TRUE(r.Overlaps({GuestAddr{0}, 0x1001}));
  EXPECT_TRUE(r.Overlaps({GuestAddr{0x1fff}, 1}));
  EXPECT_FALSE(r.Overlaps({GuestAddr{0x1800}, 0}));
}

TEST(AlignTest, RoundsToTheBoundary) {
  EXPECT_EQ(AlignUp(0x1001, 0x1000), 0x2000u);
  EXPECT_EQ(AlignUp(0x1000, 0x1000), 0x1000u);
  EXPECT_EQ(AlignDown(0x1fff, 0x1000), 0x1000u);
}

}  // namespace
}  // namespace vmm
