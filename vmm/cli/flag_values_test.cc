#include "vmm/cli/flag_values.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(FlagValuesTest, ASizeIsANumberWithAUnit) {
  EXPECT_EQ(*ParseSize("512M"), 512ull << 20);
  EXPECT_EQ(*ParseSize("1g"), 1ull << 30);
  EXPECT_EQ(*ParseSize("4096"), 4096u);
  EXPECT_EQ(*ParseSize("0x1000"), 4096u);
}

TEST(FlagValuesTest, WhatIsNoSizeIsRefused) {
  for (const char* bad :
       {"", "M", "12Q", "-1", "1.5G", "1 G", "1GB", "99999999999999999999", "18446744073709551615K"}) {
    EXPECT_FALSE(ParseSize(bad).ok()) << bad;
  }
}

TEST(FlagValuesTest, ADurationHasAUnitAndIsNotNegative) {
  EXPECT_EQ(*ParseDuration("1m30s", false), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("0", false), absl::ZeroDuration());
  EXPECT_EQ(*ParseDuration("off", true), absl::InfiniteDuration());
  for (const char* bad : {"", "30", "-1s", "soon", "off", "inf"}) EXPECT_FALSE(ParseDuration(bad, false).ok()) << bad;
}

TEST(FlagValuesTest, KaslrTakesASeed) {
  EXPECT_EQ(ParseKaslr("on")->mode, Kaslr::Mode::kOn);
  EXPECT_EQ(ParseKaslr("off")->mode, Kaslr::Mode::kOff);
  EXPECT_EQ(ParseKaslr("0x2a")->seed, 42u);
  EXPECT_FALSE(ParseKaslr("maybe").ok());
}

TEST(FlagValuesTest, AnUnknownWordIsToldTheKnownOnes) {
  EXPECT_EQ(ParseOnPanic("core").status().message(), "must be dump, exit or pause");
  EXPECT_EQ(ParseBootMode("bios").status().message(), "must be auto, direct or classic");
}

}  // namespace
}  // namespace vmm
