#include "vmm/gdb/hex.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(GdbHexTest, BytesAndTextGoThereAndBack) {
  EXPECT_EQ(ToHex("Hi\n"), "48690a");
  EXPECT_EQ(*FromHex("00ff7f"), (std::vector<uint8_t>{0, 0xff, 0x7f}));
  EXPECT_FALSE(FromHex("0").has_value());
  EXPECT_FALSE(FromHex("0g").has_value());
}

TEST(GdbHexTest, ANumberHasAtMost16Digits) {
  EXPECT_EQ(ParseHex("ffffffff81000000"), 0xffffffff81000000);
  for (const char* bad : {"", "-1", "0x1", "1 ", "10000000000000000"}) EXPECT_FALSE(ParseHex(bad).has_value()) << bad;
}

TEST(GdbHexTest, TextIsTakenUpToASeparator) {
  std::string_view rest = "a,b";
  EXPECT_EQ(TakeUpTo(rest, ','), "a");
  EXPECT_EQ(TakeUpTo(rest, ','), "b");
  EXPECT_EQ(TakeUpTo(rest, ','), "");
}

}  // namespace
}  // namespace vmm
