#include "vmm/boot/placement.h"

#include <array>

#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr std::array<GuestRange, 2> kRam{GuestRange{GuestAddr{0}, 0x10000}, GuestRange{GuestAddr{0x20000}, 0x8000}};

TEST(PlacementTest, FreeIsRamWithoutWhatIsTaken) {
  const std::array<GuestRange, 4> taken{GuestRange{GuestAddr{0x4000}, 0x1000}, GuestRange{GuestAddr{0}, 0x1000},
                                        GuestRange{GuestAddr{0x4800}, 0x1800}, GuestRange{GuestAddr{0xf000}, 0x12000}};
  const std::vector<GuestRange> free = FreeRanges(kRam, taken);
  ASSERT_EQ(free.size(), 3u);
  EXPECT_EQ(free[0], (GuestRange{GuestAddr{0x1000}, 0x3000}));
  EXPECT_EQ(free[1], (GuestRange{GuestAddr{0x6000}, 0x9000}));
  EXPECT_EQ(free[2], (GuestRange{GuestAddr{0x21000}, 0x7000}));
}

TEST(PlacementTest, TheLowestAndTheHighestPlaceAreAlignedAndWithinTheirBounds) {
  const Room room{.size = 0x1800, .alignment = 0x1000, .lowest = 0x2001, .highest_end = 0x27fff};
  EXPECT_EQ(LowestPlace(kRam, room), GuestAddr{0x3000});
  EXPECT_EQ(HighestPlace(kRam, room), GuestAddr{0x26000});
}

TEST(PlacementTest, APlaceMayFillItsRangeExactly) {
  EXPECT_EQ(LowestPlace(kRam, {.size = 0x10000}), GuestAddr{0});
  EXPECT_EQ(HighestPlace(kRam, {.size = 0x10000}), GuestAddr{0});
  EXPECT_EQ(LowestPlace(kRam, {.size = 0x10001}), std::nullopt);
  EXPECT_EQ(CountPlaces(kRam, {.size = ~uint64_t{0}}), 0u);
}

TEST(PlacementTest, EveryPlaceIsCountedOnce) {
  const Room room{.size = 0x2000, .alignment = 0x4000};
  ASSERT_EQ(CountPlaces(kRam, room), 6u);
  const std::array<uint64_t, 6> places{0, 0x4000, 0x8000, 0xc000, 0x20000, 0x24000};
  for (size_t i = 0; i < places.size(); ++i) EXPECT_EQ(PlaceAt(kRam, room, i).value, places[i]);
}

TEST(PlacementTest, AnAlignmentPastTheEndOfTheAddressSpaceFindsNothing) {
  const std::array<GuestRange, 1> top{GuestRange{GuestAddr{~uint64_t{0} - 0x1fff}, 0x1000}};
  EXPECT_EQ(LowestPlace(top, {.size = 1, .alignment = 1ull << 63}), std::nullopt);
}

}  // namespace
}  // namespace vmm
