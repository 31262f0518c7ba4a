#include "devices/vmport/tclo.h"

#include <gtest/gtest.h>

namespace vmm {
namespace {

using Outcome = TcloResult::Outcome;

class TcloTest : public testing::Test {
 protected:
  std::string Poll(uint16_t channel, std::string_view answer = "", bool waits = false) {
    return tclo_.Polled(channel, answer, waits, now_).value_or("");
  }

  void Start(uint16_t channel, const std::string& program = "toolbox") {
    tclo_.Opened(channel, now_);
    EXPECT_EQ(Poll(channel), "reset");
    EXPECT_EQ(Poll(channel, "OK ATR " + program), "Capabilities_Register");
    EXPECT_EQ(Poll(channel, "OK "), "");
  }

  Tclo tclo_;
  absl::Duration now_ = absl::Seconds(100);
};

TEST_F(TcloTest, ARequestIsAnsweredWithThePollAfterTheOneThatFetchedIt) {
  Start(0);
  const auto id = tclo_.Send("ping", now_);
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(Poll(0), "ping");
  EXPECT_TRUE(tclo_.TakeResults().empty());
  EXPECT_EQ(Poll(0, "OK alive"), "");
  EXPECT_EQ(tclo_.TakeResults(), (std::vector<TcloResult>{{*id, Outcome::kOk, "alive"}}));
  EXPECT_TRUE(tclo_.TakeResults().empty());
}

TEST_F(TcloTest, N19_AnAnswerThatIsAnErrorOrNoneIsReportedAsThat) {
  Start(0);
  const struct {
    std::string answer;
    Outcome outcome;
    std::string text;
  } cases[] = {
      {"ERROR Unknown Command", Outcome::kError, "Unknown Command"},
      {"OKAY", Outcome::kBadAnswer, "OKAY"},
      {"", Outcome::kBadAnswer, ""},
      {std::string("OK \0", 4), Outcome::kOk, ""},
      {"OK", Outcome::kOk, ""},
      {std::string(65'536, 'x'), Outcome::kBadAnswer, std::string(Tclo::kMaxText, 'x')},
  };
  for (const auto& c : cases) {
    const auto id = tclo_.Send("ping", now_);
    ASSERT_TRUE(id.ok());
    EXPECT_EQ(Poll(0), "ping");
    Poll(0, c.answer);
    EXPECT_EQ(tclo_.TakeResults(), (std::vector<TcloResult>{{*id, c.outcome, c.text}}));
  }
}

TEST_F(TcloTest, N19_AnAnswerToNoRequestIsCountedAndNoMore) {
  Start(0);
  EXPECT_EQ(Poll(0, "OK ATR impostor"), "");
  EXPECT_EQ(tclo_.unexpected_answers(), 1u);
  EXPECT_EQ(tclo_.Tools(now_)->name, "toolbox");
  EXPECT_TRUE(tclo_.TakeResults().empty());
}

TEST_F(TcloTest, N19_TheFourthRequestIsRefusedAndSaysSo) {
  Start(0);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(tclo_.Send("ping", now_).ok());
  const auto fourth = tclo_.Send("ping", now_);
  EXPECT_EQ(fourth.status().code(), absl::StatusCode::kResourceExhausted);
  Poll(0);
  EXPECT_FALSE(tclo_.Send("ping", now_).ok());
  Poll(0, "OK ");
  EXPECT_TRUE(tclo_.Send("ping", now_).ok());
}

TEST_F(TcloTest, WithoutToolsARequestIsRefused) {
  EXPECT_EQ(tclo_.Send("OS_Halt", now_).status().code(), absl::StatusCode::kFailedPrecondition);
  tclo_.Opened(0, now_);
  EXPECT_FALSE(tclo_.Send("OS_Halt", now_).ok());
  Poll(0);
  EXPECT_FALSE(tclo_.Send("OS_Halt", now_).ok());
  Poll(0, "ERROR Unknown Command");
  EXPECT_FALSE(tclo_.Send("OS_Halt", now_).ok());
}

TEST_F(TcloTest, ToolsThatStoppedPollingAreNoTools) {
  Start(0);
  now_ += absl::Seconds(16);
  EXPECT_FALSE(tclo_.Send("OS_Halt", now_).ok());
  EXPECT_FALSE(tclo_.Tools(now_).has_value());
  Poll(0);
  EXPECT_TRUE(tclo_.Send("OS_Halt", now_).ok());
}

TEST_F(TcloTest, ToolboxIsAskedBeforeAnyOtherProgram) {
  Start(0, "toolbox-dnd");
  Start(1, "toolbox");
  ASSERT_TRUE(tclo_.Send("OS_Halt", now_).ok());
  EXPECT_EQ(Poll(0), "");
  EXPECT_EQ(Poll(1), "OS_Halt");
}

TEST_F(TcloTest, ARequestThatTheGuestHasNotFetchedWaitsThroughAnotherPoll) {
  Start(0);
  ASSERT_TRUE(tclo_.Send("ping", now_).ok());
  ASSERT_TRUE(tclo_.Send("OS_Halt", now_).ok());
  EXPECT_EQ(Poll(0), "ping");
  EXPECT_EQ(Poll(0, "", /*waits=*/true), "");
  EXPECT_EQ(Poll(0, "OK "), "OS_Halt");
}

TEST_F(TcloTest, ARequestTimesOutAndItsLateAnswerIsNotTheNextOnes) {
  Start(0);
  const auto first = tclo_.Send("ping", now_);
  EXPECT_EQ(Poll(0), "ping");
  now_ += absl::Seconds(31);
  tclo_.Expire(now_, [](uint16_t) { return false; });
  EXPECT_EQ(tclo_.TakeResults(), (std::vector<TcloResult>{{*first, Outcome::kTimedOut, ""}}));

  EXPECT_EQ(Poll(0, "OK late"), "");
  EXPECT_TRUE(tclo_.TakeResults().empty());
  const auto second = tclo_.Send("ping", now_);
  EXPECT_EQ(Poll(0), "ping");
  Poll(0, "OK prompt");
  EXPECT_EQ(tclo_.TakeResults(), (std::vector<TcloResult>{{*second, Outcome::kOk, "prompt"}}));
}

TEST_F(TcloTest, ARequestThatTimesOutUnfetchedIsTakenBack) {
  Start(0);
  ASSERT_TRUE(tclo_.Send("OS_Halt", now_).ok());
  ASSERT_TRUE(tclo_.Send("OS_Reboot", now_).ok());
  EXPECT_EQ(Poll(0), "OS_Halt");
  now_ += absl::Seconds(31);
  int withdrawn = 0;
  tclo_.Expire(now_, [&withdrawn](uint16_t) { return ++withdrawn > 0; });
  EXPECT_EQ(withdrawn, 1);
  EXPECT_EQ(tclo_.TakeResults().size(), 2u);
  EXPECT_EQ(Poll(0), "");
}

TEST_F(TcloTest, ClosingEndsWhatWasAsked) {
  Start(0);
  const auto first = tclo_.Send("ping", now_);
  const auto second = tclo_.Send("OS_Halt", now_);
  Poll(0);
  tclo_.Closed(0);
  EXPECT_EQ(tclo_.TakeResults(),
            (std::vector<TcloResult>{{*first, Outcome::kClosed, ""}, {*second, Outcome::kClosed, ""}}));
  EXPECT_FALSE(tclo_.Send("ping", now_).ok());
}

TEST_F(TcloTest, ResultsThatNobodyTakesAreBounded) {
  Start(0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(tclo_.Send("ping", now_).ok());
    Poll(0);
    Poll(0, "OK ");
  }
  EXPECT_EQ(tclo_.results_dropped(), 100 - Tclo::kMaxResults);
  EXPECT_EQ(tclo_.TakeResults().size(), Tclo::kMaxResults);
}

TEST_F(TcloTest, ARequestHasOneTo1024Bytes) {
  Start(0);
  EXPECT_FALSE(tclo_.Send("", now_).ok());
  EXPECT_FALSE(tclo_.Send(std::string(1025, 'x'), now_).ok());
  EXPECT_TRUE(tclo_.Send("Set_Option " + std::string(1000, 'x'), now_).ok());
}

}  // namespace
}  // namespace vmm
