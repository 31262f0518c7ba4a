#include "devices/vmport/vmport_state.h"

#include <gtest/gtest.h>

namespace vmm {
namespace {

TEST(VmportStateTest, WhatWasWrittenIsRead) {
  StateWriter writer;
  writer.U8(0x12);
  writer.U16(0x3456);
  writer.U32(0x789abcde);
  writer.U64(0x0123456789abcdef);
  writer.Bool(true);
  writer.Bytes(std::string_view("a\0b", 3));
  writer.Age(absl::Seconds(3), absl::Seconds(10));

  const std::string image = SealState(writer.payload());
  const auto payload = UnsealState(image);
  ASSERT_TRUE(payload.ok()) << payload.status();
  StateReader reader(*payload);
  EXPECT_EQ(reader.U8(), 0x12);
  EXPECT_EQ(reader.U16(), 0x3456);
  EXPECT_EQ(reader.U32(), 0x789abcdeu);
  EXPECT_EQ(reader.U64(), 0x0123456789abcdefu);
  EXPECT_TRUE(reader.Bool("a bool"));
  EXPECT_EQ(reader.Bytes(3, "bytes"), std::string("a\0b", 3));
  EXPECT_EQ(reader.Age(absl::Seconds(100)), absl::Seconds(93));
  EXPECT_TRUE(reader.Finish().ok()) << reader.Finish();
}

TEST(VmportStateTest, AnImageWithAByteFlippedOrCutIsRefused) {
  const std::string image = SealState("payload");
  for (size_t i = 0; i < image.size(); ++i) {
    std::string flipped = image;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x40);
    EXPECT_FALSE(UnsealState(flipped).ok()) << i;
    EXPECT_FALSE(UnsealState(image.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(UnsealState(image + "x").ok());
}

TEST(VmportStateTest, ReadingBeyondTheEndIsAnErrorAndGivesZero) {
  StateReader reader("\x01\x02");
  EXPECT_EQ(reader.U32(), 0u);
  EXPECT_FALSE(reader.status().ok());
  EXPECT_EQ(reader.U8(), 0);
}

TEST(VmportStateTest, ALengthBeyondTheEndIsAnError) {
  StateReader reader(std::string_view("\x05\0\0\0abcd", 8));
  EXPECT_EQ(reader.Bytes(100, "bytes"), "");
  EXPECT_FALSE(reader.status().ok());
}

TEST(VmportStateTest, ALengthBeyondTheLimitIsAnError) {
  StateReader reader(std::string_view("\x04\0\0\0abcd", 8));
  EXPECT_EQ(reader.Bytes(3, "bytes"), "");
  EXPECT_FALSE(reader.status().ok());
}

TEST(VmportStateTest, ACountBeyondTheLimitIsZero) {
  StateReader reader(std::string_view("\xff\xff\xff\xff", 4));
  EXPECT_EQ(reader.Count(10, "things"), 0u);
  EXPECT_EQ(reader.status().message(), "vmport state: things: 4294967295, and at most 10 are possible");
}

TEST(VmportStateTest, ABoolIsZeroOrOne) {
  StateReader reader("\x02");
  reader.Bool("a bool");
  EXPECT_FALSE(reader.status().ok());
}

TEST(VmportStateTest, BytesLeftOverAreAnError) {
  StateReader reader("x");
  EXPECT_FALSE(reader.Finish().ok());
}

}  // namespace
}  // namespace vmm
