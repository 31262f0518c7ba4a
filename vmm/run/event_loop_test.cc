#include "vmm/run/event_loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr absl::Duration kNoGrace = absl::ZeroDuration();

struct Keyboard {
  Keyboard() {
    std::array<int, 2> fds;
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
    reader.reset(fds[0]);
    keys.reset(fds[1]);
  }
  UniqueFd reader, keys;
};

class EventLoopTest : public testing::Test {
 protected:
  void Type(std::string_view keys) {
    ASSERT_EQ(write(keyboard_.keys.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  std::unique_ptr<StopSignals> signals_ = *StopSignals::Block();
  std::unique_ptr<RunEvents> events_ = *RunEvents::Create(/*stop_at_panic=*/false);
  Keyboard keyboard_;
  std::string guest_got_;
  ConsoleInput input_{/*escapes=*/true, [this](std::span<const uint8_t> bytes) {
                        guest_got_.append(bytes.begin(), bytes.end());
                        return bytes.size();
                      }};
  EventLoop loop_{*events_, *signals_, input_, keyboard_.reader.get()};
};

TEST_F(EventLoopTest, ARequestEndsTheRun) {
  events_->OnGuestRequest({.kind = GuestRequest::Kind::kPowerOff, .by = "acpi"});
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kRequest);
}

TEST_F(EventLoopTest, APanicGoesBeforeTheResetThatFollowsIt) {
  events_->OnPanic({.source = PanicSource::kPvpanic});
  events_->OnGuestRequest({.kind = GuestRequest::Kind::kReset, .by = "acpi"});
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), absl::Hours(1)), RunEnd::kPanic);
}

TEST_F(EventLoopTest, AFailureOfTheHostEndsTheRunUnlessTheGuestHasEnded) {
  events_->OnHostFailure(absl::AbortedError("passt ended with status 1"));
  events_->OnHostFailure(absl::AbortedError("a later one"));
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kHostFailure);
  EXPECT_EQ(events_->host_failure().message(), "passt ended with status 1");
  events_->OnGuestRequest({.kind = GuestRequest::Kind::kPowerOff, .by = "acpi"});
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kRequest);
  events_->OnPanic({.source = PanicSource::kPvpanic});
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kRequest) << "a panic after it is not kept";
}

TEST_F(EventLoopTest, TheGraceLetsADyingKernelFinishAndThenEnds) {
  events_->OnPanic({.source = PanicSource::kPvpanic});
  const absl::Time start = absl::Now();
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), absl::Milliseconds(30)), RunEnd::kPanic);
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(30));
}

TEST_F(EventLoopTest, AVcpuThatCannotRunOnGetsNoGrace) {
  events_->OnPanic({.source = PanicSource::kTripleFault});
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), absl::Hours(1)), RunEnd::kPanic);
}

TEST_F(EventLoopTest, ATripleFaultCutsTheGraceShort) {
  events_->OnPanic({.source = PanicSource::kPvpanic});
  events_->OnPanic({.source = PanicSource::kTripleFault});
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), absl::Hours(1)), RunEnd::kPanic);
}

TEST_F(EventLoopTest, AGuestWithACrashKernelRunsOn) {
  events_->OnPanic({.source = PanicSource::kPvpanic, .crash_loaded = true});
  EXPECT_EQ(loop_.Wait(absl::Now() + absl::Milliseconds(20), kNoGrace), RunEnd::kTimeout);
}

TEST_F(EventLoopTest, NoWatchEndsTheRunOfACrashKernelOrKeepsTheLoopBusy) {
  int looks = 0;
  int asked = 0;
  loop_.SetHangWatch(absl::Milliseconds(1), [&looks] { return ++looks > 0; });
  loop_.SetWatchdog([&asked] { return ++asked, absl::InfinitePast(); });
  events_->OnPanic({.source = PanicSource::kPvpanic, .crash_loaded = true});
  EXPECT_EQ(loop_.Wait(absl::Now() + absl::Milliseconds(20), kNoGrace), RunEnd::kTimeout);
  EXPECT_EQ(looks, 0);
  EXPECT_EQ(asked, 0);
}

TEST_F(EventLoopTest, AHandOverThatTheConsoleAnnouncedAsAPanicIsNone) {
  events_->OnPanic({.source = PanicSource::kConsole});
  std::thread kernel([this] {
    absl::SleepFor(absl::Milliseconds(10));
    events_->OnPanic({.source = PanicSource::kTrap, .crash_loaded = true});
    absl::SleepFor(absl::Milliseconds(60));
    ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  });
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), absl::Milliseconds(40)), RunEnd::kSignal);
  EXPECT_EQ(loop_.signal(), SIGTERM);
  kernel.join();
}

TEST_F(EventLoopTest, AWatchdogThatIsNotFedEndsTheRun) {
  const absl::Time expires = absl::Now() + absl::Milliseconds(20);
  loop_.SetWatchdog([expires] { return expires; });
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kWatchdog);
  EXPECT_GE(absl::Now(), expires);
}

TEST_F(EventLoopTest, AWatchdogThatIsFedDoesNot) {
  loop_.SetWatchdog([] { return absl::Now() + absl::Milliseconds(5); });
  EXPECT_EQ(loop_.Wait(absl::Now() + absl::Milliseconds(30), kNoGrace), RunEnd::kTimeout);
}

TEST_F(EventLoopTest, APanicGoesBeforeTheWatchdogThatNobodyFeedsAnyMore) {
  loop_.SetWatchdog([] { return absl::InfinitePast(); });
  events_->OnPanic({.source = PanicSource::kPvpanic});
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kPanic);
}

TEST_F(EventLoopTest, ACheckMayReportAPanicAndSaysWhenItIsDueAgain) {
  int checks = 0;
  loop_.SetCheck([this, &checks] {
    if (++checks == 3) events_->OnPanic({.source = PanicSource::kConsole});
    return checks < 3 ? absl::Now() + absl::Milliseconds(5) : absl::InfiniteFuture();
  });
  EXPECT_EQ(loop_.Wait(absl::Now() + absl::Minutes(1), kNoGrace), RunEnd::kPanic);
  EXPECT_GE(checks, 3);
}

TEST_F(EventLoopTest, NewsBringsACheck) {
  int checks = 0;
  loop_.SetCheck([&checks] { return ++checks, absl::InfiniteFuture(); });
  std::thread console([this] {
    absl::SleepFor(absl::Milliseconds(20));
    events_->Wake();
  });
  EXPECT_EQ(loop_.Wait(absl::Now() + absl::Milliseconds(200), kNoGrace), RunEnd::kTimeout);
  EXPECT_GE(checks, 2);
  console.join();
}

TEST_F(EventLoopTest, ASignalEndsTheRunAndIsNamed) {
  ASSERT_EQ(raise(SIGTERM), 0);
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kSignal);
  EXPECT_EQ(loop_.signal(), SIGTERM);
}

TEST_F(EventLoopTest, ASignalInTheGraceEndsItAndIsStillThereForWhatFollows) {
  events_->OnPanic({.source = PanicSource::kPvpanic});
  ASSERT_EQ(raise(SIGTERM), 0);
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), absl::Hours(1)), RunEnd::kPanic);
  EXPECT_EQ(loop_.WaitForUser(), RunEnd::kSignal);
  EXPECT_EQ(loop_.signal(), SIGTERM);
}

TEST_F(EventLoopTest, SoDoesCtrlAX) {
  events_->OnPanic({.source = PanicSource::kPvpanic});
  Type("\x01x");
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), absl::Hours(1)), RunEnd::kPanic);
  EXPECT_EQ(loop_.WaitForUser(), RunEnd::kUserQuit);
}

TEST_F(EventLoopTest, ASignalWhileAHangingGuestIsAskedIsStillThereForWhatFollows) {
  loop_.SetWatchdog([] { return absl::InfinitePast(); });
  ASSERT_EQ(raise(SIGINT), 0);
  const auto nothing = [] { return uint64_t{0}; };
  EXPECT_EQ(loop_.WaitForAnswer(absl::InfiniteDuration(), nothing, absl::InfiniteFuture(), kNoGrace), RunEnd::kSignal);
  EXPECT_EQ(loop_.WaitForUser(), RunEnd::kSignal);
  EXPECT_EQ(loop_.signal(), SIGINT);
}

TEST_F(EventLoopTest, AHangingGuestThatIsAskedMayAnswerForAsLongAsItSpeaks) {
  uint64_t said = 0;
  const auto speaks = [&said] { return said < 10 ? ++said : said; };
  EXPECT_EQ(loop_.WaitForAnswer(absl::Milliseconds(1), speaks, absl::InfiniteFuture(), kNoGrace), RunEnd::kTimeout);
  EXPECT_EQ(said, 10u);
}

TEST_F(EventLoopTest, AHangingGuestThatNeverStopsSpeakingIsNotHeardForEver) {
  uint64_t said = 0;
  const auto speaks = [&said] { return ++said; };
  const absl::Time deadline = absl::Now() + absl::Milliseconds(20);
  EXPECT_EQ(loop_.WaitForAnswer(absl::Milliseconds(1), speaks, deadline, kNoGrace), RunEnd::kTimeout);
  EXPECT_GE(absl::Now(), deadline);
}

TEST_F(EventLoopTest, KeysReachTheGuestAndCtrlAXQuits) {
  Type("ls\n\x01x");
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kUserQuit);
  EXPECT_EQ(guest_got_, "ls\n");
}

TEST_F(EventLoopTest, EachServiceIsCalledForItsOwnDescriptor) {
  std::array<Keyboard, 3> bells;
  std::string served;
  for (size_t i = 0; i < bells.size(); ++i) {
    loop_.AddService(bells[i].reader.get(), [&, i] {
      char byte = 0;
      ASSERT_EQ(read(bells[i].reader.get(), &byte, 1), 1);
      served += static_cast<char>('0' + i);
      if (i == 2) loop_.Quit();
    });
  }
  ASSERT_EQ(write(bells[0].keys.get(), "xx", 2), 2);
  ASSERT_EQ(write(bells[2].keys.get(), "x", 1), 1);
  EXPECT_EQ(loop_.Wait(absl::InfiniteFuture(), kNoGrace), RunEnd::kUserQuit);
  EXPECT_EQ(served, "02");
}

TEST_F(EventLoopTest, TheEndOfInputIsNotTheEndOfTheRun) {
  keyboard_.keys.reset();
  EXPECT_EQ(loop_.Wait(absl::Now() + absl::Milliseconds(20), kNoGrace), RunEnd::kTimeout);
}

}  // namespace
}  // namespace vmm
