#include "devices/ib700.h"

#include <array>

#include "gtest/gtest.h"

namespace vmm {
namespace {

class Ib700Test : public testing::Test, public Clock {
 protected:
  absl::Time Now() const override { return now_; }
  void Write(uint64_t offset, uint8_t value) { watchdog_.Write(offset, std::array<uint8_t, 1>{value}); }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  int changes_ = 0;
  Ib700 watchdog_{*this, [this] { ++changes_; }};
};

TEST_F(Ib700Test, ItStandsStillUntilItIsStarted) {
  EXPECT_EQ(watchdog_.deadline(), absl::InfiniteFuture());
  EXPECT_EQ(watchdog_.timeout(), absl::ZeroDuration());
}

// The values that Linux's ib700wdt writes: 15 - (seconds + 1) / 2.
TEST_F(Ib700Test, TheLowFourBitsSayHowManyTimesTwoSecondsAreLessThanThirty) {
  for (int seconds = 0; seconds <= 30; seconds += 2) {
    Write(2, static_cast<uint8_t>(15 - (seconds + 1) / 2));
    EXPECT_EQ(watchdog_.timeout(), absl::Seconds(seconds));
    EXPECT_EQ(watchdog_.deadline(), now_ + absl::Seconds(seconds));
  }
  Write(2, 0xf0);
  EXPECT_EQ(watchdog_.timeout(), absl::Seconds(30));
}

TEST_F(Ib700Test, FeedingBeginsTheTimeAnew) {
  Write(2, 10);
  now_ += absl::Seconds(9);
  Write(2, 10);
  EXPECT_EQ(watchdog_.deadline(), now_ + absl::Seconds(10));
  EXPECT_EQ(changes_, 2);
}

TEST_F(Ib700Test, ItCanBeStopped) {
  Write(2, 10);
  Write(0, 0);
  EXPECT_EQ(watchdog_.deadline(), absl::InfiniteFuture());
  EXPECT_EQ(changes_, 2);
}

TEST_F(Ib700Test, ThePortBetweenIsNobodys) {
  Write(1, 15);
  EXPECT_EQ(watchdog_.deadline(), absl::InfiniteFuture());
  EXPECT_EQ(changes_, 0);
}

TEST_F(Ib700Test, ReadingTellsNothing) {
  for (uint64_t offset = 0; offset < Ib700::kSize; ++offset) {
    std::array<uint8_t, 1> data = {};
    watchdog_.Read(offset, data);
    EXPECT_EQ(data[0], 0xff);
  }
}

}  // namespace
}  // namespace vmm
