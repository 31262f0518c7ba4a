#include "vmm/witness/hang_monitor.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);

const VcpuSample kIdle{.started = true, .answered = true, .halted = true, .rip = 0xffffffff81800000};
const VcpuSample kOff{};
const VcpuSample kHaltedForGood{
    .started = true, .answered = true, .halted = true, .interrupts = false, .rip = 0xffffffff81800010};
const VcpuSample kUser{.started = true, .answered = true, .user_mode = true, .rip = 0x401000, .ran = kTick};

VcpuSample Kernel(uint64_t rip, bool interrupts) {
  return {.started = true, .answered = true, .interrupts = interrupts, .rip = rip, .ran = kTick};
}

class HangMonitorTest : public testing::Test {
 protected:
  // Takes `times` samples and returns the verdict of the last.
  std::optional<Hang> Look(size_t times, const std::vector<VcpuSample>& vcpus) {
    std::optional<Hang> hang;
    for (size_t i = 0; i < times; ++i) hang = monitor_.Add(kTick, vcpus, console_);
    return hang;
  }

  HangMonitor monitor_{kTick * HangMonitor::kSamples};
  uint64_t console_ = 0;
};

TEST_F(HangMonitorTest, AVcpuWithInterruptsOffAllTheTimeHangs) {
  EXPECT_FALSE(Look(HangMonitor::kSamples - 1, {kIdle, Kernel(0x10, false)}).has_value());
  const std::optional<Hang> hang = Look(1, {kIdle, Kernel(0x12, false)});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kInterruptsOff);
  EXPECT_EQ(hang->vcpu, 1);
  EXPECT_EQ(hang->rips, (std::vector<uint64_t>{0x10, 0x12}));
}

TEST_F(HangMonitorTest, InterruptsOffCountsHoweverTheOthersTalk) {
  Look(1, {kUser, kIdle});
  std::optional<Hang> hang;
  for (size_t i = 0; i < HangMonitor::kSamples; ++i) {
    hang = monitor_.Add(kTick, {kUser, Kernel(i, false)}, /*console_bytes=*/i);
  }
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kInterruptsOff);
}

TEST_F(HangMonitorTest, InterruptsOnOnceIsNoHardLockup) {
  for (size_t i = 0; i < 200; ++i) {
    const bool now_and_then = i % HangMonitor::kSamples == 0;
    EXPECT_FALSE(monitor_.Add(kTick, {Kernel(0x100 * i, now_and_then)}, 0).has_value()) << i;
  }
}

TEST_F(HangMonitorTest, AFewPlacesOfTheKernelAreALivelock) {
  std::optional<Hang> hang;
  for (size_t i = 0; i < HangMonitor::kSamples; ++i) hang = Look(1, {Kernel(0x10 + i % 3, true)});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kLivelock);
}

TEST_F(HangMonitorTest, ATickNowAndThenDoesNotHideALoop) {
  std::optional<Hang> hang;
  for (size_t i = 0; i < HangMonitor::kSamples; ++i) {
    hang = Look(1, {i % 4 == 3 ? Kernel(0x1000 * i, false) : Kernel(0x10 + i % 2, true)});
  }
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kLivelock);
  EXPECT_THAT(hang->rips, testing::IsSupersetOf({0x10, 0x11}));
}

TEST_F(HangMonitorTest, ACopyThatGoesOnIsBusyThoughItIsOneInstruction) {
  for (size_t i = 0; i < 200; ++i) {
    VcpuSample copy = Kernel(0x10, true);
    copy.rcx = 0x100000 - i;
    copy.rdi = 0x8000 + i;
    EXPECT_FALSE(Look(1, {copy}).has_value()) << i;
  }
}

TEST_F(HangMonitorTest, AKernelThatComesUpSlowlyWithInterruptsOffIsBusy) {
  for (size_t i = 0; i < 200; ++i) EXPECT_FALSE(Look(1, {Kernel(0x1000 * i, false), kOff}).has_value()) << i;
}

TEST_F(HangMonitorTest, OneThatLoopsBeforeItHasComeUpHangs) {
  const std::optional<Hang> hang = Look(HangMonitor::kSamples, {Kernel(0x10, false)});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kInterruptsOff);
}

TEST_F(HangMonitorTest, OneThatHasComeUpHangsWithInterruptsOffWhereverItRuns) {
  Look(1, {Kernel(0x10, true)});
  std::optional<Hang> hang;
  for (size_t i = 0; i < HangMonitor::kSamples; ++i) hang = Look(1, {Kernel(0x1000 * i, false)});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kInterruptsOff);
}

TEST_F(HangMonitorTest, AKernelThatMovesAboutIsBusy) {
  for (size_t i = 0; i < 200; ++i) EXPECT_FALSE(Look(1, {Kernel(0x1000 * i, true)}).has_value());
}

TEST_F(HangMonitorTest, UserModeIsBusyWhateverItsRip) { EXPECT_FALSE(Look(200, {kUser, kIdle}).has_value()); }

TEST_F(HangMonitorTest, AllIdleAndSilentIsAHang) {
  const std::optional<Hang> hang = Look(HangMonitor::kSamples, {kIdle, kIdle, kOff});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kIdle);
  EXPECT_EQ(hang->vcpu, -1);
}

TEST_F(HangMonitorTest, OneVcpuThatIsHaltedWithInterruptsOffIsAHang) {
  EXPECT_FALSE(Look(HangMonitor::kSamples - 1, {kHaltedForGood, kOff}).has_value());
  const std::optional<Hang> hang = Look(1, {kHaltedForGood, kOff});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kHalted);
  EXPECT_EQ(hang->vcpu, 0);
  EXPECT_EQ(hang->rips, std::vector<uint64_t>{kHaltedForGood.rip});
  EXPECT_EQ(hang->detail, "vCPU 0 is halted with interrupts off, at 0xffffffff81800010");
}

TEST_F(HangMonitorTest, SoAreAllVcpusThatAre) {
  const std::optional<Hang> hang = Look(HangMonitor::kSamples, {kHaltedForGood, kHaltedForGood});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kHalted);
  EXPECT_EQ(hang->vcpu, -1);
}

TEST_F(HangMonitorTest, HaltedWithInterruptsOffCountsHoweverMuchItsThreadRanAndThePersonTypes) {
  VcpuSample spun = kHaltedForGood;
  spun.ran = kTick;
  std::optional<Hang> hang;
  for (size_t i = 0; i < HangMonitor::kSamples; ++i) hang = monitor_.Add(kTick, {spun}, /*console_bytes=*/i);
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kHalted);
}

TEST_F(HangMonitorTest, OneThatIsMetOnItsWayRoundTheLoopIsHaltedAllTheSame) {
  std::optional<Hang> hang;
  for (size_t i = 0; i < HangMonitor::kSamples; ++i) {
    hang = Look(1, {i % 2 == 0 ? kHaltedForGood : Kernel(kHaltedForGood.rip + 1, false)});
  }
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kHalted);
  EXPECT_EQ(hang->rips, (std::vector<uint64_t>{kHaltedForGood.rip, kHaltedForGood.rip + 1}));
}

TEST_F(HangMonitorTest, OneThatMovesAboutBetweenTwoHaltsIsBusy) {
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_FALSE(Look(1, {i % 3 == 0 ? kHaltedForGood : Kernel(0x1000 * i, false)}).has_value()) << i;
  }
}

TEST_F(HangMonitorTest, AVcpuThatTheGuestTookOfflineIsNoHangWhileAnotherWorks) {
  EXPECT_FALSE(Look(200, {kUser, kHaltedForGood}).has_value());
  EXPECT_FALSE(Look(200, {kHaltedForGood, kUser}).has_value()) << "vCPU 0 may be offline like any other";
}

TEST_F(HangMonitorTest, AVcpuThatWorksNowAndThenIsNotHaltedForGood) {
  for (size_t i = 0; i < 200; ++i) {
    EXPECT_FALSE(Look(1, {i % HangMonitor::kSamples == 0 ? kUser : kHaltedForGood}).has_value()) << i;
  }
}

TEST_F(HangMonitorTest, WhereTheOthersOnlyWaitItIsIdleAndTheDetailNamesTheHaltedOne) {
  const std::optional<Hang> hang = Look(HangMonitor::kSamples, {kHaltedForGood, kIdle});
  ASSERT_TRUE(hang.has_value());
  EXPECT_EQ(hang->kind, HangKind::kIdle);
  EXPECT_THAT(hang->detail, testing::HasSubstr("vCPU 0 is halted with interrupts off, at 0xffffffff81800010"));
}

TEST_F(HangMonitorTest, WhereTheOthersOnlyWaitAndTheGuestTalksItIsNone) {
  for (size_t i = 0; i < 200; ++i) EXPECT_FALSE(monitor_.Add(kTick, {kHaltedForGood, kIdle}, i).has_value()) << i;
}

TEST_F(HangMonitorTest, AWordOnTheConsoleBeginsTheTimeAnew) {
  Look(HangMonitor::kSamples - 1, {kIdle});
  console_ = 1;
  EXPECT_FALSE(Look(HangMonitor::kSamples, {kIdle}).has_value());
  EXPECT_TRUE(Look(1, {kIdle}).has_value());
}

TEST_F(HangMonitorTest, AnIdleCpuThatWorksBetweenTheLooksIsBusy) {
  VcpuSample working = kIdle;
  working.ran = kTick * 0.6;
  EXPECT_FALSE(Look(200, {working}).has_value());
}

TEST_F(HangMonitorTest, AStarvedHostIsNotBlamedOnTheGuest) {
  VcpuSample starved = Kernel(0x10, false);
  starved.ran = kTick * 0.05;
  EXPECT_FALSE(Look(200, {starved}).has_value());
  EXPECT_EQ(monitor_.starved(), 200u);
}

TEST_F(HangMonitorTest, AVcpuThatDoesNotAnswerIsNotJudged) {
  EXPECT_FALSE(Look(200, {VcpuSample{.started = true}}).has_value());
}

TEST_F(HangMonitorTest, AMachineThatNeverStartedAVcpuIsIdle) {
  EXPECT_TRUE(Look(HangMonitor::kSamples, {kOff}).has_value());
}

}  // namespace
}  // namespace vmm
