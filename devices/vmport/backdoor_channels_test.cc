// Tests the message protocol, used correctly and incorrectly. N1 to N23 are the ways to use it incorrectly. "Defect"
// means one that an earlier implementation of this protocol, for QEMU and Xen, is known to have had.
#include <gtest/gtest.h>
#include <malloc.h>

#include "devices/vmport/backdoor.h"
#include "devices/vmport/testing/backdoor_client.h"

namespace vmm {
namespace {

class BackdoorChannelsTest : public testing::Test {
 protected:
  MessageReply Message(uint16_t type, const GuestChannel& channel, uint32_t ebx = 0) {
    return SendMessage(backdoor_, type, channel, ebx);
  }

  // N18: a failure clears bit 0 of the status and changes no register except ECX's high half.
  void ExpectFails(uint16_t type, const GuestChannel& channel, uint32_t ebx = 0) {
    const MessageReply reply = Message(type, channel, ebx);
    const BackdoorRegisters expected = {.eax = kBackdoorMagic,
                                        .ebx = ebx,
                                        .ecx = kCmdMessage,
                                        .edx = uint32_t{channel.id} << 16 | kBackdoorPort,
                                        .esi = channel.cookie_high,
                                        .edi = channel.cookie_low,
                                        .ebp = 0};
    EXPECT_EQ(reply.status, kStatusFail) << "type " << type;
    EXPECT_EQ(reply.registers, expected) << "type " << type;
  }

  void ExpectAllFail(const GuestChannel& channel) {
    for (uint16_t type = kMessageSendSize; type <= kMessageClose; ++type) ExpectFails(type, channel, 1);
  }

  GuestChannel Open(uint32_t protocol = kProtocolRpci) {
    const auto channel = OpenChannel(backdoor_, protocol);
    EXPECT_TRUE(channel.has_value());
    return channel.value_or(GuestChannel());
  }

  std::string Ask(const GuestChannel& channel, std::string_view request) {
    EXPECT_EQ(SendText(backdoor_, channel, request), kStatusSuccess);
    return ReceiveText(backdoor_, channel).value_or("");
  }

  TestBackdoor test_;
  Backdoor& backdoor_ = test_.backdoor;
};

TEST_F(BackdoorChannelsTest, WhatTheHostSetsTheGuestGets) {
  ASSERT_TRUE(backdoor_.SetGuestInfo("a", "hello").ok());
  EXPECT_EQ(CallRpci(backdoor_, "info-get guestinfo.a"), "1 hello");
}

TEST_F(BackdoorChannelsTest, WhatTheGuestSetsTheHostGets) {
  EXPECT_EQ(CallRpci(backdoor_, "info-set guestinfo.verdict pass"), "1 ");
  const auto info = backdoor_.GuestInfo();
  EXPECT_EQ(info.at("verdict"), (GuestInfoStore::Entry{"pass", GuestInfoStore::By::kGuest}));
}

// P7's transcript: the fourteen INs of vmware-rpctool 'info-get guestinfo.a', as that program sends them.
TEST_F(BackdoorChannelsTest, TheTranscriptOfTheRealClientIsAnsweredAsItExpects) {
  ASSERT_TRUE(backdoor_.SetGuestInfo("a", "hello").ok());
  for (const uint32_t ecx : {10u, 0xffff000au}) {
    BackdoorRegisters version = {.eax = kBackdoorMagic, .ebx = ~kBackdoorMagic, .ecx = ecx, .edx = kBackdoorPort};
    backdoor_.In(0, 4, version);
    EXPECT_EQ(version.eax, 6u);
    EXPECT_EQ(version.ebx, kBackdoorMagic);
  }
  const MessageReply open = Message(kMessageOpen, {}, 0xc9435052);
  EXPECT_EQ(open.status, kStatusSuccess);
  const GuestChannel channel = {0, open.registers.esi, open.registers.edi};
  EXPECT_EQ(Message(kMessageSendSize, channel, 20).status, kStatusSuccess);
  for (const uint32_t word : {0x6f666e69u, 0x7465672du, 0x65756720u, 0x6e697473u, 0x612e6f66u}) {
    EXPECT_EQ(Message(kMessageSendPayload, channel, word).status, kStatusSuccess);
  }
  const MessageReply size = Message(kMessageRecvSize, channel);
  EXPECT_EQ(size.registers.ebx, 7u);
  EXPECT_EQ(size.registers.ecx, 0x0003001eu);
  EXPECT_EQ(size.registers.edx, 0x00015658u);
  EXPECT_EQ(Message(kMessageRecvPayload, channel, 1).registers.ebx, 0x65682031u);
  const MessageReply last = Message(kMessageRecvPayload, channel, 1);
  EXPECT_EQ(last.registers.ebx, 0x006f6c6cu);
  EXPECT_EQ(last.registers.edx, 0x00025658u);
  EXPECT_EQ(Message(kMessageRecvStatus, channel, 1).status, kStatusSuccess);
  EXPECT_EQ(Message(kMessageClose, channel).status, kStatusSuccess);
  EXPECT_EQ(backdoor_.message_count(), 12u);
}

TEST_F(BackdoorChannelsTest, ValuesOfEverySizeComeBackWhole) {
  for (const size_t size : {0, 1, 2, 3, 4, 5, 127, 128, 129, 4095, 4096, 4097, 65'000}) {
    std::string value;
    for (size_t i = 0; i < size; ++i) value.push_back(static_cast<char>(i * 7 + i / 256));
    EXPECT_EQ(CallRpci(backdoor_, "info-set guestinfo.k " + value + std::string(1, '\0')), "1 ") << size;
    EXPECT_EQ(CallRpci(backdoor_, "info-get guestinfo.k"), "1 " + value) << size;
  }
}

TEST_F(BackdoorChannelsTest, AnEmptyRequestIsAnUnknownCommand) {
  EXPECT_EQ(CallRpci(backdoor_, ""), "0 Unknown command");
}

TEST_F(BackdoorChannelsTest, AChannelOpenedWithoutTheCookieFlagNeedsNone) {
  const MessageReply open = Message(kMessageOpen, {0, 0x1111, 0x2222}, kProtocolRpci);
  EXPECT_EQ(open.status, kStatusSuccess);
  EXPECT_EQ(open.registers.esi, 0x1111u);
  EXPECT_EQ(open.registers.edi, 0x2222u);
  EXPECT_EQ(Message(kMessageSendSize, {0, 7, 9}, 4).status, kStatusSuccess);
}

TEST_F(BackdoorChannelsTest, N1_AChannelClosesOnce) {
  const GuestChannel channel = Open();
  EXPECT_TRUE(Message(kMessageClose, channel).ok());
  ExpectFails(kMessageClose, channel);
}

TEST_F(BackdoorChannelsTest, N2_AClosedChannelAnswersNothing) {
  const GuestChannel channel = Open();
  Message(kMessageClose, channel);
  ExpectAllFail(channel);
}

TEST_F(BackdoorChannelsTest, N3_ANumberOpenedAgainDoesNotTakeTheOldCookie) {
  const GuestChannel old = Open();
  SendText(backdoor_, old, "info-set guestinfo.k v");
  Message(kMessageClose, old);
  const GuestChannel fresh = Open();
  EXPECT_EQ(fresh.id, old.id);
  ExpectAllFail(old);
  EXPECT_EQ(Message(kMessageRecvSize, fresh).status, kStatusSuccess);  // and the old answer is gone
}

// Defect (m): only 32 of the cookie's 64 bits were compared.
TEST_F(BackdoorChannelsTest, N4_EveryBitOfTheCookieCounts) {
  const GuestChannel channel = Open();
  for (int bit = 0; bit < 64; ++bit) {
    GuestChannel forged = channel;
    (bit < 32 ? forged.cookie_low : forged.cookie_high) ^= uint32_t{1} << (bit % 32);
    ExpectAllFail(forged);
  }
  EXPECT_TRUE(Message(kMessageClose, channel).ok());
}

// Defect (k): state was read before it was known to exist.
TEST_F(BackdoorChannelsTest, N5_NoOtherNumberReachesTheChannel) {
  const GuestChannel channel = Open();
  for (uint32_t id = 0; id <= 0xffff; ++id) {
    if (id == channel.id) continue;
    const GuestChannel other = {static_cast<uint16_t>(id), channel.cookie_high, channel.cookie_low};
    ExpectFails(kMessageRecvSize, other);
    ExpectFails(kMessageClose, other);
  }
  EXPECT_TRUE(Message(kMessageClose, channel).ok());
}

TEST_F(BackdoorChannelsTest, N6_The129thChannelIsRefusedUntilOneCloses) {
  std::vector<GuestChannel> open;
  for (int i = 0; i < kMaxChannels; ++i) open.push_back(Open());
  EXPECT_EQ(open.back().id, kMaxChannels - 1);
  EXPECT_EQ(OpenChannel(backdoor_), std::nullopt);
  Message(kMessageClose, open[17]);
  EXPECT_EQ(Open().id, 17);
  EXPECT_EQ(OpenChannel(backdoor_), std::nullopt);
}

// Defect (f): any number opened a channel.
TEST_F(BackdoorChannelsTest, N7_OnlyTwoProtocolsOpenAChannel) {
  for (const uint32_t flag : {0u, kMessageFlagCookie}) {
    for (int bit = 0; bit < 31; ++bit) {
      ExpectFails(kMessageOpen, {}, (kProtocolRpci ^ (uint32_t{1} << bit)) | flag);
      ExpectFails(kMessageOpen, {}, (kProtocolTclo ^ (uint32_t{1} << bit)) | flag);
    }
    ExpectFails(kMessageOpen, {}, flag);
  }
}

TEST_F(BackdoorChannelsTest, N8_ASizeBeyondTheLimitIsRefusedAndNoSizeAllocates) {
  const GuestChannel channel = Open();
  const size_t before = backdoor_.bytes_held();
  for (const uint32_t size : {1u, 65'535u, 65'536u}) {
    EXPECT_TRUE(Message(kMessageSendSize, channel, size).ok()) << size;
    EXPECT_EQ(backdoor_.bytes_held(), before);
  }
  for (const uint32_t size : {65'537u, 0x10000u * 2, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    ExpectFails(kMessageSendSize, channel, size);
    EXPECT_EQ(backdoor_.bytes_held(), before);
    ExpectFails(kMessageSendPayload, channel, 0);  // and the message begun before it is over
  }
}

// Defects (a) and (e): a length kept in 16 bits turned 65536 into 0 and 65537 into 1. If a message filled its buffer, a
// NUL was stored after the end.
TEST_F(BackdoorChannelsTest, N8_TheLongestMessageIsWholeAtItsLastWord) {
  const GuestChannel channel = Open();
  EXPECT_TRUE(Message(kMessageSendSize, channel, kMaxGuestMessage).ok());
  for (uint32_t i = 0; i < kMaxGuestMessage / 4; ++i) {
    EXPECT_EQ(Message(kMessageRecvSize, channel).status, kStatusSuccess);
    EXPECT_TRUE(Message(kMessageSendPayload, channel, 0x20202020).ok());
  }
  EXPECT_EQ(ReceiveText(backdoor_, channel), "0 Unknown command");
}

TEST_F(BackdoorChannelsTest, N9_PayloadWithoutASizeIsRefused) {
  const GuestChannel channel = Open();
  ExpectFails(kMessageSendPayload, channel, 0x676f6c);
}

// Defect (h): one extra word ran the request again.
TEST_F(BackdoorChannelsTest, N9_PayloadBeyondTheSizeRunsNothingAgain) {
  const GuestChannel channel = Open();
  SendText(backdoor_, channel, "log once");
  for (int i = 0; i < 10; ++i) ExpectFails(kMessageSendPayload, channel, 0x65636e6f);
  EXPECT_EQ(backdoor_.Log(), std::vector<std::string>{"once"});
}

TEST_F(BackdoorChannelsTest, N10_ASizeInMidMessageBeginsANewOne) {
  const GuestChannel channel = Open();
  Message(kMessageSendSize, channel, 400);
  Message(kMessageSendPayload, channel, 0x41414141);
  EXPECT_EQ(Ask(channel, "log new"), "1 ");
  EXPECT_EQ(backdoor_.Log(), std::vector<std::string>{"new"});
}

TEST_F(BackdoorChannelsTest, N11_TwoChannelsWordByWordDoNotMix) {
  const GuestChannel a = Open();
  const GuestChannel b = Open();
  Message(kMessageSendSize, a, 12);
  Message(kMessageSendSize, b, 12);
  const uint32_t log_a[] = {0x20676f6c, 0x61616161, 0x61616161};
  const uint32_t log_b[] = {0x20676f6c, 0x62626262, 0x62626262};
  for (int i = 0; i < 3; ++i) {
    Message(kMessageSendPayload, a, log_a[i]);
    Message(kMessageSendPayload, b, log_b[i]);
  }
  EXPECT_EQ(backdoor_.Log(), (std::vector<std::string>{"aaaaaaaa", "bbbbbbbb"}));
}

// Defect (c): each status call advanced the ring, and the reader passed the writer.
TEST_F(BackdoorChannelsTest, N12_FetchingNothingAThousandTimesHarmsNothing) {
  const GuestChannel channel = Open();
  for (int i = 0; i < 1000; ++i) {
    ExpectFails(kMessageRecvPayload, channel, 1);
    ExpectFails(kMessageRecvStatus, channel, 1);
  }
  EXPECT_EQ(Ask(channel, "machine.id.get"), "0 No machine id");
}

// Defect (d): two bytes after the value were sent with it.
TEST_F(BackdoorChannelsTest, N12_NothingIsReadBehindTheEndOfAnAnswer) {
  ASSERT_TRUE(backdoor_.SetGuestInfo("k", "ab").ok());
  const GuestChannel channel = Open();
  SendText(backdoor_, channel, "info-get guestinfo.k");
  EXPECT_EQ(Message(kMessageRecvSize, channel).registers.ebx, 4u);
  EXPECT_EQ(Message(kMessageRecvPayload, channel, 1).registers.ebx, 0x62612031u);
  ExpectFails(kMessageRecvPayload, channel, 1);
  EXPECT_TRUE(Message(kMessageRecvStatus, channel, 1).ok());
}

TEST_F(BackdoorChannelsTest, N13_ClosingInMidReceiptGivesTheMemoryBack) {
  const GuestChannel channel = Open();
  SendText(backdoor_, channel, "bogus");
  Message(kMessageRecvSize, channel);
  Message(kMessageRecvPayload, channel, 1);
  EXPECT_TRUE(Message(kMessageClose, channel).ok());
  EXPECT_EQ(backdoor_.bytes_held(), 0u);
}

TEST_F(BackdoorChannelsTest, N13_ANewRequestInMidReceiptHasItsOwnAnswer) {
  const GuestChannel channel = Open();
  SendText(backdoor_, channel, "bogus");
  Message(kMessageRecvSize, channel);
  Message(kMessageRecvPayload, channel, 1);
  EXPECT_EQ(Ask(channel, "machine.id.get"), "0 No machine id");
  EXPECT_EQ(ReceiveText(backdoor_, channel), std::nullopt);
}

TEST_F(BackdoorChannelsTest, N14_AnswersThatAreNeverFetchedDoNotPileUp) {
  const GuestChannel channel = Open();
  ASSERT_TRUE(backdoor_.SetGuestInfo("k", std::string(1000, 'v')).ok());
  const size_t info = backdoor_.bytes_held();
  for (int i = 0; i < 100'000; ++i) SendText(backdoor_, channel, "");
  EXPECT_LE(backdoor_.bytes_held(), info + 100);
  for (int i = 0; i < 1'000; ++i) SendText(backdoor_, channel, "info-get guestinfo.k");
  EXPECT_LE(backdoor_.bytes_held(), info + 2'000);
  EXPECT_EQ(ReceiveText(backdoor_, channel), "1 " + std::string(1000, 'v'));
  EXPECT_EQ(ReceiveText(backdoor_, channel), std::nullopt);
}

// Defect (b): the end of the previous message was still in the buffer.
TEST_F(BackdoorChannelsTest, N15_AShortRequestHasNothingOfTheLongOneBeforeIt) {
  const GuestChannel channel = Open();
  EXPECT_EQ(Ask(channel, "info-set guestinfo.k secret-secret-secret"), "1 ");
  EXPECT_EQ(Ask(channel, "info-set guestinfo.k x"), "1 ");
  EXPECT_EQ(Ask(channel, "info-get guestinfo.k"), "1 x");
  EXPECT_EQ(Ask(channel, "info-get"), "0 No value found");
  EXPECT_EQ(Ask(channel, "in"), "0 Unknown command");
}

TEST_F(BackdoorChannelsTest, N17_OtherMessageTypesFail) {
  const GuestChannel channel = Open();
  for (uint32_t type = 7; type <= 0xffff; ++type) ExpectFails(static_cast<uint16_t>(type), channel);
}

// Defect (g): types 1, 3 and 5 have bit 0 set, so a register that is left unchanged shows success.
TEST_F(BackdoorChannelsTest, N18_NoFailureLooksLikeSuccess) {
  ExpectAllFail({0, 0, 0});
  ExpectAllFail({127, 0, 0});
  ExpectAllFail({0xffff, 0xffffffff, 0xffffffff});
  const GuestChannel channel = Open();
  for (const uint16_t type : {kMessageSendPayload, kMessageRecvPayload, kMessageRecvStatus}) {
    ExpectFails(type, channel, 1);
  }
}

TEST_F(BackdoorChannelsTest, N20_OfAStatusThatTheGuestSendsOneBitCounts) {
  const GuestChannel channel = Open();
  SendText(backdoor_, channel, "bogus");
  Message(kMessageRecvSize, channel);
  EXPECT_TRUE(Message(kMessageRecvPayload, channel, 0xffffffff).ok());
  ExpectFails(kMessageRecvPayload, channel, 0xfffffffe);  // gives the answer up
  ExpectFails(kMessageRecvStatus, channel, 1);
}

TEST_F(BackdoorChannelsTest, N22_AResetInMidMessageClosesAllAndKeepsGuestinfo) {
  CallRpci(backdoor_, "info-set guestinfo.k v");
  CallRpci(backdoor_, "tools.set.version 7");
  const GuestChannel channel = Open();
  Message(kMessageSendSize, channel, 100);
  Message(kMessageSendPayload, channel, 0x20676f6c);
  backdoor_.Reset();
  ExpectAllFail(channel);
  EXPECT_EQ(backdoor_.Tools().info, ToolsInfo());
  EXPECT_EQ(CallRpci(backdoor_, "info-get guestinfo.k"), "1 v");
}

TEST_F(BackdoorChannelsTest, N23_AnIdleChannelIsClosedAndAUsedOneIsNot) {
  const GuestChannel idle = Open();
  const GuestChannel used = Open();
  SendText(backdoor_, idle, "bogus");
  test_.elapsed += absl::Seconds(50);
  EXPECT_TRUE(Message(kMessageRecvSize, used).ok());
  test_.elapsed += absl::Seconds(50);
  EXPECT_TRUE(Message(kMessageRecvSize, used).ok());
  ExpectAllFail(idle);
}

TEST_F(BackdoorChannelsTest, N23_IdleChannelsMakeRoomForANewOne) {
  for (int i = 0; i < kMaxChannels; ++i) Open();
  EXPECT_EQ(OpenChannel(backdoor_), std::nullopt);
  test_.elapsed += absl::Seconds(81);
  EXPECT_EQ(Open().id, 0);
}

TEST_F(BackdoorChannelsTest, N23_AForgedCookieDoesNotKeepAChannelAlive) {
  const GuestChannel channel = Open();
  test_.elapsed += absl::Seconds(79);
  ExpectFails(kMessageRecvSize, {channel.id, ~channel.cookie_high, channel.cookie_low});
  test_.elapsed += absl::Seconds(2);
  ExpectFails(kMessageRecvSize, channel);
}

// Defect (i): the cookies counted up from 435.
TEST(BackdoorCookieTest, CookiesComeFromTheKernelAndDiffer) {
  FixedClock clock;
  Backdoor backdoor({}, clock, [] { return absl::ZeroDuration(); });
  const auto a = OpenChannel(backdoor);
  const auto b = OpenChannel(backdoor);
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->cookie_high, b->cookie_high);
  EXPECT_NE(a->cookie_low, b->cookie_low);
}

TEST(BackdoorCookieTest, WithoutRandomnessNoChannelWithACookieOpens) {
  FixedClock clock;
  Backdoor backdoor(
      {}, clock, [] { return absl::ZeroDuration(); }, [](std::span<uint8_t>) { return false; });
  EXPECT_EQ(OpenChannel(backdoor), std::nullopt);
}

// The guest does its worst: it fills all of guestinfo and the log. Tools on every other channel answer nothing. Each of
// the other channels has a message that lacks its last word while an answer waits.
TEST_F(BackdoorChannelsTest, MemoryHeldForOneGuestNeverExceedsTheCap) {
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 20; ++i) {
    CallRpci(backdoor_, "info-set guestinfo.k" + std::to_string(i) + " " + std::string(65'000, 'v'));
  }
  for (int i = 0; i < 300; ++i) CallRpci(backdoor_, "log " + std::string(60'000, 'l'));
  for (int i = 0; i < kMaxChannels; ++i) {
    if (i % 2 == 1) {
      StartTools(backdoor_, std::string(1000, 'n'));
      for (int n = 0; n < 5; ++n) backdoor_.Send(std::string(1024, 'r')).IgnoreError();
      continue;
    }
    const GuestChannel channel = Open();
    SendText(backdoor_, channel, "info-get guestinfo.k0");
    Message(kMessageSendSize, channel, kMaxGuestMessage);
    for (uint32_t word = 0; word < kMaxGuestMessage / 4 - 1; ++word) Message(kMessageSendPayload, channel, word);
  }
  constexpr size_t kOneMebibyte = 1 << 20;
  EXPECT_GT(backdoor_.bytes_held(), 9 * kOneMebibyte);
  EXPECT_LE(backdoor_.bytes_held(), Backdoor::kMaxBytesHeld);
  static_assert(Backdoor::kMaxBytesHeld < 18 * kOneMebibyte);
  // The allocator's own figures agree, including its overhead.
  EXPECT_LE(mallinfo2().uordblks, before + Backdoor::kMaxBytesHeld + kOneMebibyte);
}

}  // namespace
}  // namespace vmm
