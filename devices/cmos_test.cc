#include "devices/cmos.h"

#include <random>

#include "absl/time/civil_time.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class SteppedClock final : public Clock {
 public:
  absl::Time Now() const override { return now; }
  absl::Time now = absl::FromCivil(absl::CivilSecond(2026, 11, 20, 13, 45, 59), absl::UTCTimeZone());
};

class CmosTest : public ::testing::Test {
 protected:
  uint8_t Get(uint8_t index) {
    cmos.Write(0, std::array<uint8_t, 1>{index});
    std::array<uint8_t, 1> data{};
    cmos.Read(1, data);
    return data[0];
  }
  void Set(uint8_t index, uint8_t value) {
    cmos.Write(0, std::array<uint8_t, 1>{index});
    cmos.Write(1, std::array<uint8_t, 1>{value});
  }

  SteppedClock clock;
  Cmos cmos{clock};
};

TEST_F(CmosTest, EachTimeRegisterReadsItsFieldInBcd) {
  EXPECT_EQ(Get(Cmos::kSeconds), 0x59);
  EXPECT_EQ(Get(Cmos::kMinutes), 0x45);
  EXPECT_EQ(Get(Cmos::kHours), 0x13);
  EXPECT_EQ(Get(Cmos::kDayOfWeek), 6);  // a Friday
  EXPECT_EQ(Get(Cmos::kDayOfMonth), 0x20);
  EXPECT_EQ(Get(Cmos::kMonth), 0x11);
  EXPECT_EQ(Get(Cmos::kYear), 0x26);
  EXPECT_EQ(Get(Cmos::kCentury), 0x20);
}

TEST_F(CmosTest, TimeGoesOnWithTheClock) {
  clock.now += absl::Hours(10) + absl::Minutes(14) + absl::Seconds(1);
  EXPECT_EQ(Get(Cmos::kHours), 0x00);
  EXPECT_EQ(Get(Cmos::kDayOfMonth), 0x21);
  EXPECT_EQ(Get(Cmos::kDayOfWeek), 7);
  clock.now += absl::Hours(24);
  EXPECT_EQ(Get(Cmos::kDayOfWeek), 1);
}

TEST_F(CmosTest, StatusRegistersAreThoseOfARunningClock) {
  EXPECT_EQ(Get(Cmos::kRegisterA), 0x26);
  EXPECT_EQ(Get(Cmos::kRegisterB), 0x02);
  EXPECT_EQ(Get(Cmos::kRegisterC), 0x00);
  EXPECT_EQ(Get(Cmos::kRegisterD), 0x80);
  Set(Cmos::kRegisterD, 0);
  EXPECT_EQ(Get(Cmos::kRegisterD), 0x80);
}

TEST_F(CmosTest, UpdateInProgressIsSetOnlyAtTheEndOfASecond) {
  clock.now += absl::Microseconds(999'755);
  EXPECT_EQ(Get(Cmos::kRegisterA) & Cmos::kUip, 0);
  clock.now += absl::Microseconds(1);
  EXPECT_EQ(Get(Cmos::kRegisterA) & Cmos::kUip, Cmos::kUip);
  clock.now += absl::Microseconds(244);
  EXPECT_EQ(Get(Cmos::kRegisterA) & Cmos::kUip, 0);
  Set(Cmos::kRegisterA, 0xff);
  EXPECT_EQ(Get(Cmos::kRegisterA), 0x7f);
}

// Does what mc146818_set_time() does in drivers/rtc/rtc-mc146818-lib.c.
TEST_F(CmosTest, AGuestSetsItsOwnTime) {
  Set(Cmos::kRegisterB, Get(Cmos::kRegisterB) | Cmos::kSet);
  Set(Cmos::kYear, 0x99);
  Set(Cmos::kMonth, 0x12);
  Set(Cmos::kDayOfMonth, 0x31);
  Set(Cmos::kHours, 0x23);
  Set(Cmos::kMinutes, 0x59);
  Set(Cmos::kSeconds, 0x58);
  Set(Cmos::kCentury, 0x19);
  clock.now += absl::Seconds(30);
  EXPECT_EQ(Get(Cmos::kSeconds), 0x58);  // the clock is stopped
  Set(Cmos::kRegisterB, Get(Cmos::kRegisterB) & ~Cmos::kSet);
  EXPECT_EQ(Get(Cmos::kSeconds), 0x58);
  clock.now += absl::Seconds(2);
  EXPECT_EQ(Get(Cmos::kSeconds), 0x00);
  EXPECT_EQ(Get(Cmos::kYear), 0x00);
  EXPECT_EQ(Get(Cmos::kCentury), 0x20);
  EXPECT_EQ(Get(Cmos::kDayOfWeek), 7);  // 1 January 2000, a Saturday
}

TEST_F(CmosTest, OneFieldOfTheRunningClockCanBeSet) {
  Set(Cmos::kHours, 0x07);
  EXPECT_EQ(Get(Cmos::kHours), 0x07);
  EXPECT_EQ(Get(Cmos::kMinutes), 0x45);
}

TEST_F(CmosTest, StopAndGoWithoutWritesKeepsTheTime) {
  Set(Cmos::kRegisterB, Cmos::kSet);
  Set(Cmos::kRegisterB, 0);
  EXPECT_EQ(Get(Cmos::kHours), 0x13);
  EXPECT_EQ(Get(Cmos::kSeconds), 0x59);
}

TEST_F(CmosTest, BinaryAndTwelveHourModesCannotBeSet) {
  Set(Cmos::kRegisterB, 0x7d);
  EXPECT_EQ(Get(Cmos::kRegisterB), 0x7b);
  EXPECT_EQ(Get(Cmos::kSeconds), 0x59);
}

TEST_F(CmosTest, AlarmAndNvramBytesAreStored) {
  for (const uint8_t index : {0x01, 0x03, 0x05, 0x0e, 0x0f, 0x10, 0x31, 0x33, 0x7f}) Set(index, 0x80 | index);
  for (const uint8_t index : {0x01, 0x03, 0x05, 0x0e, 0x0f, 0x10, 0x31, 0x33, 0x7f}) {
    EXPECT_EQ(Get(index), 0x80 | index);
  }
}

TEST_F(CmosTest, TheNmiBitOfTheIndexIsNotAnAddressBit) {
  Set(0x0f, 0x5a);
  EXPECT_EQ(Get(0x8f), 0x5a);
}

TEST_F(CmosTest, A16BitWriteSetsIndexAndData) {
  cmos.Write(0, std::array<uint8_t, 2>{0x0f, 0xa5});
  EXPECT_EQ(Get(0x0f), 0xa5);
}

TEST_F(CmosTest, NoBytesAreSuchThatTheTimeBreaks) {
  std::minstd_rand random(1);
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t dice = random();
    Set(static_cast<uint8_t>(dice), static_cast<uint8_t>(dice >> 8));
    Get(static_cast<uint8_t>(dice >> 16));
  }
  Set(Cmos::kRegisterB, 0);
  EXPECT_LE(Get(Cmos::kMonth), 0x12);
  EXPECT_LE(Get(Cmos::kSeconds), 0x59);
}

}  // namespace
}  // namespace vmm
