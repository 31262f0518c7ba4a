#include <gtest/gtest.h>

#include "devices/vmport/backdoor.h"
#include "devices/vmport/testing/backdoor_client.h"

namespace vmm {
namespace {

using Outcome = TcloResult::Outcome;

class BackdoorToolsTest : public testing::Test {
 protected:
  TestBackdoor test_;
  Backdoor& backdoor_ = test_.backdoor;
};

TEST_F(BackdoorToolsTest, TheHandshakeIsResetThenRegister) {
  const auto channel = OpenChannel(backdoor_, kProtocolTclo);
  ASSERT_TRUE(channel.has_value());
  EXPECT_EQ(Poll(backdoor_, *channel), "reset");
  EXPECT_FALSE(backdoor_.Tools().running);
  EXPECT_EQ(Poll(backdoor_, *channel, "OK ATR toolbox"), "Capabilities_Register");
  EXPECT_TRUE(backdoor_.Tools().running);
  EXPECT_EQ(backdoor_.Tools().program, "toolbox");
  EXPECT_EQ(Poll(backdoor_, *channel, "OK "), "");
}

TEST_F(BackdoorToolsTest, TheToolsVersionAndLastAnswerAreKnown) {
  const GuestChannel channel = StartTools(backdoor_);
  EXPECT_EQ(backdoor_.Tools().info.version, 12345u);
  test_.elapsed += absl::Seconds(5);
  Poll(backdoor_, channel);
  test_.elapsed += absl::Seconds(2);
  EXPECT_EQ(backdoor_.Tools().last_poll, absl::Seconds(2));
  EXPECT_EQ(backdoor_.Tools().last_answer, absl::Seconds(7));
}

TEST_F(BackdoorToolsTest, HaltIsAskedAnsweredAndAnnounced) {
  const GuestChannel channel = StartTools(backdoor_);
  const auto id = backdoor_.Send(std::string(kTcloHalt));
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(Poll(backdoor_, channel), "OS_Halt");
  CallRpci(backdoor_, "tools.os.statechange.status 1 1");
  EXPECT_EQ(Poll(backdoor_, channel, "OK "), "");
  EXPECT_EQ(backdoor_.TakeResults(), (std::vector<TcloResult>{{*id, Outcome::kOk, ""}}));
  EXPECT_EQ(backdoor_.Tools().info.last_change, StateChange::kHalt);
  EXPECT_TRUE(backdoor_.Tools().info.last_change_ok);
}

TEST_F(BackdoorToolsTest, EveryRequestReachesTheGuestAsItWasSent) {
  const GuestChannel channel = StartTools(backdoor_);
  const std::string set_option = std::string(kTcloSetOption) + " synctime 0";
  for (const std::string_view request :
       {kTcloPing, kTcloReboot, kTcloPowerOn, kTcloSuspend, kTcloResume, std::string_view(set_option)}) {
    ASSERT_TRUE(backdoor_.Send(std::string(request)).ok());
    EXPECT_EQ(Poll(backdoor_, channel), request);
    Poll(backdoor_, channel, "OK ");
  }
  EXPECT_EQ(backdoor_.TakeResults().size(), 6u);
}

TEST_F(BackdoorToolsTest, WithoutToolsHaltIsRefusedWithAReason) {
  const auto id = backdoor_.Send(std::string(kTcloHalt));
  EXPECT_EQ(id.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(id.status().message(),
            "no VMware tools answer in the guest: vmtoolsd does not run there, or has not polled for 15 s");
}

// Defect (l): a full queue silently dropped requests.
TEST_F(BackdoorToolsTest, N19_AFullQueueIsReported) {
  StartTools(backdoor_);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(backdoor_.Send("ping").ok());
  EXPECT_EQ(backdoor_.Send("ping").status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(BackdoorToolsTest, N19_AnAnswerOf64KibIsCut) {
  const GuestChannel channel = StartTools(backdoor_);
  ASSERT_TRUE(backdoor_.Send("ping").ok());
  Poll(backdoor_, channel);
  Poll(backdoor_, channel, "OK " + std::string(kMaxGuestMessage - 3, 'x'));
  const auto results = backdoor_.TakeResults();
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].text, std::string(Tclo::kMaxText, 'x'));
}

TEST_F(BackdoorToolsTest, AnUnfetchedRequestIsFetchedOnceAndNotLost) {
  const GuestChannel channel = StartTools(backdoor_);
  ASSERT_TRUE(backdoor_.Send("ping").ok());
  SendText(backdoor_, channel, "");
  SendText(backdoor_, channel, "");  // the poll starts again
  EXPECT_EQ(ReceiveText(backdoor_, channel), "ping");
  EXPECT_EQ(Poll(backdoor_, channel, "OK "), "");
}

TEST_F(BackdoorToolsTest, ARequestThatTimedOutIsNotGivenToTheGuest) {
  const GuestChannel channel = StartTools(backdoor_);
  const auto id = backdoor_.Send(std::string(kTcloHalt));
  ASSERT_TRUE(id.ok());
  SendText(backdoor_, channel, "");
  test_.elapsed += absl::Seconds(31);
  EXPECT_EQ(backdoor_.TakeResults(), (std::vector<TcloResult>{{*id, Outcome::kTimedOut, ""}}));
  EXPECT_EQ(ReceiveText(backdoor_, channel), std::nullopt);
  EXPECT_EQ(Poll(backdoor_, channel), "");
}

TEST_F(BackdoorToolsTest, ARequestThatTimedOutIsNotGivenToTheGuestEvenIfTheHostIsSilent) {
  const GuestChannel channel = StartTools(backdoor_);
  ASSERT_TRUE(backdoor_.Send(std::string(kTcloHalt)).ok());
  SendText(backdoor_, channel, "");
  test_.elapsed += absl::Seconds(31);
  EXPECT_EQ(ReceiveText(backdoor_, channel), std::nullopt);
}

TEST_F(BackdoorToolsTest, AChannelThatTimesOutEndsItsRequests) {
  StartTools(backdoor_);
  const auto id = backdoor_.Send("ping");
  ASSERT_TRUE(id.ok());
  test_.elapsed += absl::Seconds(81);
  CallRpci(backdoor_, "machine.id.get");
  EXPECT_EQ(backdoor_.TakeResults(), (std::vector<TcloResult>{{*id, Outcome::kClosed, ""}}));
}

TEST_F(BackdoorToolsTest, AResetEndsTheTools) {
  StartTools(backdoor_);
  const auto id = backdoor_.Send("ping");
  ASSERT_TRUE(id.ok());
  backdoor_.Reset();
  EXPECT_FALSE(backdoor_.Tools().running);
  EXPECT_EQ(backdoor_.TakeResults(), (std::vector<TcloResult>{{*id, Outcome::kClosed, ""}}));
}

// A guest cannot play two parts: what it sends on an RPCI channel is never taken for an answer.
TEST_F(BackdoorToolsTest, AnAnswerComesOnlyByAPoll) {
  StartTools(backdoor_);
  ASSERT_TRUE(backdoor_.Send("ping").ok());
  EXPECT_EQ(CallRpci(backdoor_, "OK "), "0 Unknown command");
  EXPECT_TRUE(backdoor_.TakeResults().empty());
}

}  // namespace
}  // namespace vmm
