#include "vmm/run/soft_power.h"

#include <csignal>
#include <memory>
#include <thread>

#include "devices/vmport/testing/backdoor_client.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class SoftPowerTest : public testing::Test {
 protected:
  RunEnd Run(absl::Duration patience = absl::Seconds(20), absl::Time deadline = absl::InfiniteFuture()) {
    return SoftPowerOff(test_.backdoor, loop_, patience, deadline, absl::ZeroDuration());
  }

  // Has the guest's tools poll on a thread of their own until the request comes, and answers it.
  void AnswerHalt(std::string answer) {
    const GuestChannel channel = StartTools(test_.backdoor);
    guest_ = std::thread([this, channel, answer] {
      std::string reply;
      while (true) {
        const std::string request = Poll(test_.backdoor, channel, reply);
        if (!reply.empty() && reply == answer) return;
        reply = request == kTcloHalt ? answer : request.empty() ? "" : "OK ";
      }
    });
  }

  void TearDown() override {
    if (guest_.joinable()) guest_.join();
  }

  TestBackdoor test_;
  std::unique_ptr<RunEvents> events_ = *RunEvents::Create(/*stop_at_panic=*/false);
  std::unique_ptr<StopSignals> signals_ = *StopSignals::Block();
  ConsoleInput input_{/*escapes=*/false, [](std::span<const uint8_t> bytes) { return bytes.size(); }};
  EventLoop loop_{*events_, *signals_, input_, -1};
  std::thread guest_;
};

TEST_F(SoftPowerTest, V9_WithoutToolsTheSignalEndsTheRunAtOnce) {
  const absl::Time start = absl::Now();
  EXPECT_EQ(Run(), RunEnd::kSignal);
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST_F(SoftPowerTest, AGuestThatPowersOffEndsTheRunItself) {
  AnswerHalt("OK ");
  std::thread off([this] {
    absl::SleepFor(absl::Milliseconds(300));
    events_->OnGuestRequest({.kind = GuestRequest::Kind::kPowerOff, .by = "acpi"});
  });
  EXPECT_EQ(Run(), RunEnd::kRequest);
  off.join();
}

TEST_F(SoftPowerTest, ToolsThatRefuseLetTheSignalEndTheRunAtOnce) {
  AnswerHalt("ERROR Unknown Command");
  const absl::Time start = absl::Now();
  EXPECT_EQ(Run(), RunEnd::kSignal);
  EXPECT_LT(absl::Now() - start, absl::Seconds(15));
}

TEST_F(SoftPowerTest, AGuestThatAgreesAndStaysIsEndedAfterAWhile) {
  AnswerHalt("OK ");
  const absl::Time start = absl::Now();
  EXPECT_EQ(Run(absl::Milliseconds(400)), RunEnd::kSignal);
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(400));
}

TEST_F(SoftPowerTest, ASecondSignalEndsTheRunAtOnce) {
  AnswerHalt("OK ");
  std::thread again([] {
    absl::SleepFor(absl::Milliseconds(200));
    kill(getpid(), SIGINT);
  });
  EXPECT_EQ(Run(), RunEnd::kSignal);
  EXPECT_EQ(loop_.signal(), SIGINT);
  again.join();
}

TEST_F(SoftPowerTest, TheTimeOutOfTheRunStillCounts) {
  AnswerHalt("OK ");
  EXPECT_EQ(Run(absl::Seconds(20), absl::Now() + absl::Milliseconds(300)), RunEnd::kTimeout);
}

}  // namespace
}  // namespace vmm
