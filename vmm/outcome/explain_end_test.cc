#include "vmm/outcome/explain_end.h"

#include "dump/testing/linux_guest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class ExplainEndTest : public testing::Test {
 protected:
  RunOutcome Explain() {
    RunOutcome outcome;
    outcome.kind = RunOutcome::Kind::kPanic;
    outcome.panic = PanicEvent{.source = PanicSource::kTripleFault, .vcpu = 0};
    ExplainEnd(VmConfig(), snapshot_, outcome);
    return outcome;
  }

  LinuxGuest guest_;
  VmSnapshot snapshot_ = guest_.snapshot();
};

TEST_F(ExplainEndTest, ATripleFaultIsToldWithItsPlace) {
  const RunOutcome outcome = Explain();
  ASSERT_TRUE(outcome.fault.has_value());
  EXPECT_EQ(outcome.fault->vcpu, 0);
}

TEST_F(ExplainEndTest, RegistersThatTheHostHasResetGiveNoStackAndNoSignature) {
  CpuState& cpu = snapshot_.cpus[0];
  cpu = CpuState{.started = true};
  cpu.rip = 0xfff0;
  cpu.cs = {.selector = 0xf000, .base = 0xffff0000};
  cpu.cr0 = 0x60000010;
  const RunOutcome outcome = Explain();
  ASSERT_TRUE(outcome.fault.has_value());
  EXPECT_TRUE(outcome.fault->registers_lost);
  EXPECT_THAT(outcome.death->stack, testing::IsEmpty());
  EXPECT_EQ(outcome.death->signature, "");
}

TEST_F(ExplainEndTest, RegistersThatCouldNotBeReadAreNoPlace) {
  snapshot_.cpus[0] = CpuState{.started = false};
  EXPECT_FALSE(Explain().fault.has_value());
}

}  // namespace
}  // namespace vmm
