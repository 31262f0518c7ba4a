#include "vmm/explain_end.h"

#include "dump/testing/linux_guest.h"
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

TEST_F(ExplainEndTest, RegistersThatCouldNotBeReadAreNoPlace) {
  snapshot_.cpus[0] = CpuState{.started = false};
  EXPECT_FALSE(Explain().fault.has_value());
}

}  // namespace
}  // namespace vmm
