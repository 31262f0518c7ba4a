#include "vmm/run/early_exception_watch.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

const ConsoleWitness kEarly{.sign = KernelSign::kPanic,
                            .line = "PANIC: early exception 0x06 IP 10:ffffffff837a9f1c error 0 cr2 0x0"};

// As Linux 6.1 has them in its early handler's loop of HLT: the boot protocol's TR, if any.
CpuState EarlyKernel() {
  CpuState cpu;
  cpu.rip = 0xffffffff8108b0c0;
  cpu.rflags = 0x46;
  cpu.halted = true;
  return cpu;
}

// With user space: a TSS in the kernel's half.
CpuState LiveKernel() {
  CpuState cpu = EarlyKernel();
  cpu.tr = {.selector = 0x40, .limit = 0x206f, .base = 0xfffffe0000003000};
  return cpu;
}

class EarlyExceptionWatchTest : public testing::Test, public PanicSink {
 protected:
  void OnPanic(const PanicEvent& event) override { panics_.push_back(event); }

  absl::Time Check(std::optional<CpuState> cpu) {
    return watch_.Check([&] {
      ++looks_;
      return std::vector{cpu};
    });
  }

  std::vector<PanicEvent> panics_;
  int looks_ = 0;
  EarlyExceptionWatch watch_{*this};
};

TEST_F(EarlyExceptionWatchTest, AKernelWithoutItsTssHasDiedOfTheException) {
  ASSERT_TRUE(watch_.Add(kEarly));
  EXPECT_EQ(Check(EarlyKernel()), absl::InfiniteFuture());
  ASSERT_EQ(panics_.size(), 1);
  EXPECT_EQ(panics_[0].source, PanicSource::kConsole);
  EXPECT_EQ(panics_[0].vcpu, 0);
  EXPECT_EQ(panics_[0].detail, kEarly.line);
}

TEST_F(EarlyExceptionWatchTest, TheWordsOfAProgramEndNoRun) {
  ASSERT_TRUE(watch_.Add(kEarly));
  EXPECT_EQ(Check(LiveKernel()), absl::InfiniteFuture()) << "even a vCPU that halts with interrupts off";
  CpuState user = EarlyKernel();
  user.ss.dpl = 3;
  ASSERT_TRUE(watch_.Add(kEarly));
  Check(user);
  CpuState idle = EarlyKernel();
  idle.rflags |= 1 << 9;
  ASSERT_TRUE(watch_.Add(kEarly));
  Check(idle);
  EXPECT_EQ(looks_, 3);
  EXPECT_TRUE(panics_.empty());
}

TEST_F(EarlyExceptionWatchTest, WithoutTheLineNobodyLooks) {
  EXPECT_FALSE(watch_.Add({.sign = KernelSign::kPanic, .line = "Kernel panic - not syncing: x"}));
  EXPECT_FALSE(watch_.Add({.sign = KernelSign::kOops, .line = "Oops: 0002 [#1]"}));
  EXPECT_EQ(Check(EarlyKernel()), absl::InfiniteFuture());
  EXPECT_EQ(looks_, 0);
}

TEST_F(EarlyExceptionWatchTest, AVcpuThatDoesNotAnswerIsAskedAgainForATime) {
  ASSERT_TRUE(watch_.Add(kEarly));
  EXPECT_LT(Check(std::nullopt), absl::Now() + absl::Seconds(1));
  Check(EarlyKernel());
  EXPECT_EQ(panics_.size(), 1);
  ASSERT_TRUE(watch_.Add(kEarly));
  for (int i = 0; i < 1000; ++i) Check(std::nullopt);
  EXPECT_LT(looks_, 100);
  EXPECT_EQ(panics_.size(), 1);
}

}  // namespace
}  // namespace vmm
