#include "devices/vmport/message_channel.h"

#include <gtest/gtest.h>

namespace vmm {
namespace {

TEST(MessageChannelTest, AMessageIsWholeWhenItsLastWordHasCome) {
  MessageChannel channel;
  EXPECT_EQ(channel.SendSize(5), kStatusSuccess);
  EXPECT_EQ(channel.SendPayload(0x6c6c6568), kStatusSuccess);
  EXPECT_EQ(channel.TakeRequest(), std::nullopt);
  EXPECT_EQ(channel.SendPayload(0xffffff6f), kStatusSuccess);
  EXPECT_EQ(channel.TakeRequest(), "hello");
  EXPECT_EQ(channel.TakeRequest(), std::nullopt);
}

TEST(MessageChannelTest, AnEmptyMessageIsWholeAtOnce) {
  MessageChannel channel;
  EXPECT_EQ(channel.SendSize(0), kStatusSuccess);
  EXPECT_EQ(channel.TakeRequest(), "");
  EXPECT_EQ(channel.SendPayload(0), kStatusFail);
}

TEST(MessageChannelTest, AMessageIsFetchedWordByWordAndGoneWithItsStatus) {
  MessageChannel channel;
  channel.Post("1 hello");
  uint32_t word = 0;
  EXPECT_EQ(channel.RecvSize(&word), kStatusSuccess | kStatusDoRecv);
  EXPECT_EQ(word, 7u);
  EXPECT_EQ(channel.RecvPayload(true, &word), kStatusSuccess);
  EXPECT_EQ(word, 0x65682031u);
  EXPECT_EQ(channel.RecvPayload(true, &word), kStatusSuccess);
  EXPECT_EQ(word, 0x006f6c6cu);
  EXPECT_TRUE(channel.has_message());
  EXPECT_EQ(channel.RecvStatus(), kStatusSuccess);
  EXPECT_FALSE(channel.has_message());
}

TEST(MessageChannelTest, ASizeAnnouncedAgainBeginsAgain) {
  MessageChannel channel;
  channel.Post("abcdefgh");
  uint32_t word = 0;
  channel.RecvSize(&word);
  channel.RecvPayload(true, &word);
  channel.RecvSize(&word);
  channel.RecvPayload(true, &word);
  EXPECT_EQ(word, 0x64636261u);
}

TEST(MessageChannelTest, AMessageGivenUpIsGone) {
  MessageChannel channel;
  channel.Post("abcdefgh");
  uint32_t word = 0;
  channel.RecvSize(&word);
  EXPECT_EQ(channel.RecvPayload(false, &word), kStatusFail);
  EXPECT_FALSE(channel.has_message());
}

TEST(MessageChannelTest, AStatusWithoutAReceiptBegunIsRefusedAndKeepsTheMessage) {
  MessageChannel channel;
  EXPECT_EQ(channel.RecvStatus(), kStatusFail);
  channel.Post("abc");
  EXPECT_EQ(channel.RecvStatus(), kStatusFail);
  EXPECT_TRUE(channel.has_message());
}

TEST(MessageChannelTest, MemoryIsTakenAsBytesComeAndGivenBack) {
  MessageChannel channel;
  const size_t empty = channel.bytes_held();
  channel.SendSize(kMaxGuestMessage);
  EXPECT_EQ(channel.bytes_held(), empty);
  for (uint32_t i = 0; i < kMaxGuestMessage / 4 - 1; ++i) channel.SendPayload(i);
  EXPECT_GE(channel.bytes_held(), kMaxGuestMessage - 4);
  EXPECT_LE(channel.bytes_held(), kMaxGuestMessage + empty);
  channel.SendPayload(0);
  EXPECT_EQ(channel.TakeRequest()->size(), kMaxGuestMessage);
  EXPECT_EQ(channel.bytes_held(), empty);
  channel.Post(std::string(65'000, 'x'));
  channel.DropMessage();
  EXPECT_EQ(channel.bytes_held(), empty);
}

TEST(MessageChannelTest, ACheckpointInMidSendAsksForTheMessageAgain) {
  MessageChannel channel;
  channel.SendSize(8);
  channel.SendPayload(1);
  channel.Checkpoint();
  EXPECT_EQ(channel.SendPayload(2), kStatusCpt);
  EXPECT_EQ(channel.SendPayload(2), kStatusFail);
  EXPECT_EQ(channel.SendSize(4), kStatusSuccess);
  EXPECT_EQ(channel.SendPayload(0x64636261), kStatusSuccess);
  EXPECT_EQ(channel.TakeRequest(), "abcd");
}

TEST(MessageChannelTest, ACheckpointInMidReceiptKeepsTheMessage) {
  MessageChannel channel;
  channel.Post("abcdefgh");
  uint32_t word = 0;
  channel.RecvSize(&word);
  channel.RecvPayload(true, &word);
  channel.Checkpoint();
  EXPECT_EQ(channel.RecvPayload(true, &word), kStatusCpt);
  EXPECT_EQ(channel.RecvSize(&word), kStatusSuccess | kStatusDoRecv);
  EXPECT_EQ(channel.RecvPayload(true, &word), kStatusSuccess);
  EXPECT_EQ(word, 0x64636261u);
}

TEST(MessageChannelTest, ACheckpointBetweenMessagesIsNotSeen) {
  MessageChannel channel;
  channel.Checkpoint();
  EXPECT_EQ(channel.SendPayload(0), kStatusFail);
  EXPECT_EQ(channel.SendSize(0), kStatusSuccess);
}

}  // namespace
}  // namespace vmm
