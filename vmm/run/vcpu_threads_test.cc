#include "vmm/run/vcpu_threads.h"

#include <array>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "devices/pvpanic.h"
#include "gtest/gtest.h"
#include "vmm/vcpu/testing/scripted_vcpu.h"

namespace vmm {
namespace {

constexpr uint16_t kPvpanic = 0x505;

class VcpuThreadsTest : public testing::Test {
 protected:
  explicit VcpuThreadsTest(bool stop_at_panic = false) : events_(*RunEvents::Create(stop_at_panic)) {
    EXPECT_TRUE(pio_.Add(kPvpanic, Pvpanic::kSize, &pvpanic_).ok());
  }

  void WaitForPanic() const {
    while (!events_->panic().has_value()) absl::SleepFor(absl::Milliseconds(1));
  }

  std::unique_ptr<RunEvents> events_;
  Pvpanic pvpanic_{*events_, *events_};
  Bus pio_, mmio_;
};

struct StopAtPanic : VcpuThreadsTest {
  StopAtPanic() : VcpuThreadsTest(/*stop_at_panic=*/true) {}
};

TEST_F(VcpuThreadsTest, RegistersAreReadOnlyAfterThePendingIoIsCompleted) {
  ScriptedVcpu vcpu(0);
  vcpu.AddOut(kPvpanic, {1});
  vcpu.set_state({.rip = 0x1234});
  const std::array<Vcpu*, 1> vcpus{&vcpu};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  WaitForPanic();
  const auto states = threads.Stop();
  EXPECT_FALSE(vcpu.io_pending());
  EXPECT_GE(vcpu.completions(), 1);
  EXPECT_EQ(states.at(0)->rip, 0x1234u);
}

TEST_F(VcpuThreadsTest, ALookHasTheRegistersOfEveryVcpuAndAllRunOn) {
  ScriptedVcpu first(0), second(1);
  first.AddOut(kPvpanic, {1});
  first.set_state({.rip = 0x1234});
  second.set_state({.rip = 0x5678});
  const std::array<Vcpu*, 2> vcpus{&first, &second};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  WaitForPanic();
  for (int look = 0; look < 2; ++look) {
    const std::vector<std::optional<CpuState>> states = threads.Look(absl::Seconds(20));
    ASSERT_TRUE(states.at(0).has_value() && states.at(1).has_value()) << look;
    EXPECT_EQ(states[0]->rip, 0x1234u);
    EXPECT_EQ(states[1]->rip, 0x5678u);
  }
  threads.Stop();
  EXPECT_FALSE(first.io_pending());
}

TEST_F(VcpuThreadsTest, ALookIsWithoutTheVcpuThatCannotGiveItsRegisters) {
  ScriptedVcpu first(0), second(1);
  first.set_read_state_error(absl::InternalError("KVM_GET_REGS"));
  second.set_state({.rip = 0x5678});
  const std::array<Vcpu*, 2> vcpus{&first, &second};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  std::vector<std::optional<CpuState>> states;
  do {
    states = threads.Look(absl::Milliseconds(100));
  } while (!states.at(1).has_value());
  EXPECT_FALSE(states[0].has_value());
  EXPECT_EQ(states[1]->rip, 0x5678u);
}

TEST_F(VcpuThreadsTest, TheVcpuThatPanickedIsNamed) {
  ScriptedVcpu idle(0), dying(1);
  dying.AddOut(kPvpanic, {1});
  const std::array<Vcpu*, 2> vcpus{&idle, &dying};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  WaitForPanic();
  EXPECT_EQ(events_->panic()->vcpu, 1);
  EXPECT_EQ(threads.Stop().size(), 2u);
}

TEST_F(StopAtPanic, WithoutGraceTheDyingVcpuExecutesNothingMore) {
  ScriptedVcpu vcpu(0);
  vcpu.AddOut(kPvpanic, {1}).AddOut(0x80, {1});
  const std::array<Vcpu*, 1> vcpus{&vcpu};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  WaitForPanic();
  threads.Stop();
  EXPECT_EQ(vcpu.runs(), 1);
}

TEST_F(VcpuThreadsTest, ARunThatFailsIsAPanicWithKvmsReason) {
  ScriptedVcpu vcpu(0);
  vcpu.Add(absl::InternalError("Bad address"));
  const std::array<Vcpu*, 1> vcpus{&vcpu};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  WaitForPanic();
  EXPECT_EQ(events_->panic()->source, PanicSource::kUnhandledExit);
  EXPECT_EQ(events_->panic()->detail, "KVM_RUN failed: Bad address");
}

TEST_F(VcpuThreadsTest, RegistersThatCannotBeReadAreOnesOwnErrorAndLoseNothingElse) {
  ScriptedVcpu good(0), bad(1);
  bad.set_read_state_error(absl::InternalError("no registers"));
  const std::array<Vcpu*, 2> vcpus{&good, &bad};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  const auto states = threads.Stop();
  EXPECT_TRUE(states.at(0).ok());
  EXPECT_EQ(states.at(1).status().message(), "no registers");
}

TEST_F(VcpuThreadsTest, APauseHasTheRegistersOfEveryVcpuAndNoneRunsUntilResumed) {
  ScriptedVcpu first(0), second(1);
  first.AddOut(kPvpanic, {1});
  first.set_state({.rip = 0x1234});
  second.set_state({.rip = 0x5678});
  const std::array<Vcpu*, 2> vcpus{&first, &second};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  WaitForPanic();
  for (int pause = 0; pause < 20; ++pause) {
    const auto states = threads.Pause(absl::Seconds(20));
    ASSERT_TRUE(states.at(0).ok() && states.at(1).ok()) << states[0].status() << states[1].status();
    EXPECT_EQ(states[0]->rip, 0x1234u);
    EXPECT_EQ(states[1]->rip, 0x5678u);
    EXPECT_FALSE(first.io_pending());
    threads.Resume();
  }
  threads.Pause(absl::Seconds(20));
  EXPECT_TRUE(threads.Stop().at(1).ok()) << "a paused vCPU can be stopped";
  EXPECT_GE(first.pauses(), 1) << "its clock hears that it stood still";
}

TEST_F(VcpuThreadsTest, APauseBeforeTheStartHoldsTheFirstInstructionBack) {
  ScriptedVcpu first(0), second(1);
  first.AddOut(kPvpanic, {1});
  const std::array<Vcpu*, 2> vcpus{&first, &second};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.BeginPause();
  threads.Start();
  for (const auto& state : threads.Pause(absl::Seconds(20))) ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(first.runs(), 0);
  threads.ResumeOnly(1);
  for (const auto& state : threads.Pause(absl::Seconds(20))) ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(first.runs(), 0) << "the other vCPU alone was let go";
  threads.ResumeOnly(0);
  WaitForPanic();
  threads.Resume();
  threads.Stop();
  EXPECT_EQ(first.runs(), 1);
}

TEST_F(VcpuThreadsTest, RegistersThatADebuggerWroteAreThoseOfTheNextPause) {
  ScriptedVcpu vcpu(0);
  const std::array<Vcpu*, 1> vcpus{&vcpu};
  VcpuThreads threads(vcpus, {pio_, mmio_}, *events_);
  threads.Start();
  threads.Pause(absl::Seconds(20));
  vcpu.set_state({.rip = 0x77});
  threads.RegistersWritten(0, {.rip = 0x77});
  threads.Resume();
  EXPECT_EQ(threads.Pause(absl::Seconds(20)).at(0)->rip, 0x77u);
  threads.Stop();
}

}  // namespace
}  // namespace vmm
