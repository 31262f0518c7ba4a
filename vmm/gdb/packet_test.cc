#include "vmm/gdb/packet.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

using Kind = GdbItem::Kind;
using Items = std::vector<GdbItem>;

TEST(GdbPacketTest, APacketIsItsTextAndItsSum) {
  EXPECT_EQ(FrameGdbPacket("OK"), "$OK#9a");
  EXPECT_EQ(FrameGdbPacket(""), "$#00");
  GdbPacketReader reader;
  EXPECT_EQ(reader.Add("+$qSupported#37+"), (Items{{Kind::kPacket, "qSupported"}}));
}

TEST(GdbPacketTest, APacketMayComeByteByByte) {
  GdbPacketReader reader;
  Items items;
  for (const char byte : std::string("$g#67$?#3f")) {
    for (GdbItem& item : reader.Add(std::string(1, byte))) items.push_back(std::move(item));
  }
  EXPECT_EQ(items, (Items{{Kind::kPacket, "g"}, {Kind::kPacket, "?"}}));
}

TEST(GdbPacketTest, BytesThatWouldEndAPacketAreEscapedAndComeBack) {
  const std::string text("a$b#c}d*e\x03\0f", 11);
  GdbPacketReader reader;
  EXPECT_EQ(reader.Add(FrameGdbPacket(text)), (Items{{Kind::kPacket, text}}));
}

TEST(GdbPacketTest, AWrongSumIsAskedForAgain) {
  GdbPacketReader reader;
  EXPECT_EQ(reader.Add("$g#00$g#zz$g#67"), (Items{{Kind::kBroken, ""}, {Kind::kBroken, ""}, {Kind::kPacket, "g"}}));
}

TEST(GdbPacketTest, AnInterruptAndARefusalStandOutsidePackets) {
  GdbPacketReader reader;
  EXPECT_EQ(reader.Add("\x03-noise"), (Items{{Kind::kInterrupt, ""}, {Kind::kNack, ""}}));
}

TEST(GdbPacketTest, APacketThatIsTooLongIsRefusedAndTakesNoRoom) {
  GdbPacketReader reader;
  EXPECT_TRUE(reader.Add("$").empty());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(reader.Add(std::string(4096, 'a')).empty());
  EXPECT_EQ(reader.Add("#00"), (Items{{Kind::kBroken, ""}}));
  const std::string longest(GdbPacketReader::kMaxPacket, 'a');
  EXPECT_EQ(reader.Add(FrameGdbPacket(longest)), (Items{{Kind::kPacket, longest}}));
}

TEST(GdbPacketTest, ANewPacketBeginsThoughTheLastOneHasNoEnd) {
  GdbPacketReader reader;
  EXPECT_EQ(reader.Add("$half$g#67"), (Items{{Kind::kPacket, "g"}}));
}

}  // namespace
}  // namespace vmm
