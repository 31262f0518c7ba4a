#include "vmm/boot/kaslr.h"

#include <set>

#include "gtest/gtest.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(KaslrTest, TheImageEndsWithinTheKernelsImageSpace) {
  const GuestRange image{GuestAddr{16 * kMiB}, 53 * kMiB + 1};
  std::set<uint64_t> shifts;
  KaslrDraw draw(1);
  for (int i = 0; i < 20000; ++i) {
    const auto shift = DrawVirtualShift(draw, image, kPmdSize);
    ASSERT_TRUE(shift.has_value());
    ASSERT_EQ(*shift % kPmdSize, 0u);
    ASSERT_LE(image.end().value + *shift, kKernelImageSize);
    shifts.insert(*shift);
  }
  // (1024 - 16 - 53) / 2 + 1 places, rounded down. Each of them is drawn, including the first and the last.
  EXPECT_EQ(shifts.size(), 478u);
  EXPECT_EQ(*shifts.begin(), 0u);
  EXPECT_EQ(*shifts.rbegin(), 477 * kPmdSize);
}

TEST(KaslrTest, AnImageThatJustFitsStaysAndALargerOneHasNoPlace) {
  KaslrDraw draw(1);
  EXPECT_EQ(DrawVirtualShift(draw, {GuestAddr{16 * kMiB}, 1008 * kMiB}, kPmdSize), 0u);
  EXPECT_EQ(DrawVirtualShift(draw, {GuestAddr{16 * kMiB}, 1008 * kMiB + 1}, kPmdSize), std::nullopt);
}

TEST(KaslrTest, ASeedIsTakenAsItIsAndOtherwiseDrawn) {
  EXPECT_EQ(*KaslrSeed({.mode = Kaslr::Mode::kSeed, .seed = 42}), 42u);
  EXPECT_NE(*KaslrSeed({.mode = Kaslr::Mode::kOn}), *KaslrSeed({.mode = Kaslr::Mode::kOn}));
}

}  // namespace
}  // namespace vmm
