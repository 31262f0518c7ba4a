#include "vmm/vcpu/testing/scripted_vcpu.h"

#include <thread>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(ScriptedVcpuTest, ExitsArePlayedInOrderAndAnAnswerIsTakenByTheNextRun) {
  ScriptedVcpu vcpu(3);
  vcpu.AddIn(0x60, 1).AddOut(0x505, {1}).Add(ShutdownExit{});
  absl::StatusOr<VcpuExit> exit = vcpu.Run();
  IoExit in = std::get<IoExit>(*exit);
  EXPECT_EQ(in.port, 0x60);
  ASSERT_EQ(in.data.size(), 1u);
  in.data[0] = 0x5a;
  EXPECT_TRUE(vcpu.io_pending());
  EXPECT_TRUE(vcpu.answers().empty());

  exit = vcpu.Run();
  EXPECT_EQ(std::get<IoExit>(*exit).data[0], 1);
  EXPECT_EQ(vcpu.answers(), (std::vector<std::vector<uint8_t>>{{0x5a}}));
  ASSERT_TRUE(vcpu.CompletePendingIo().ok());
  EXPECT_FALSE(vcpu.io_pending());
  EXPECT_TRUE(std::holds_alternative<ShutdownExit>(*vcpu.Run()));
  EXPECT_EQ(vcpu.runs(), 3);
  EXPECT_EQ(vcpu.completions(), 1);
}

TEST(ScriptedVcpuTest, AtItsEndItWaitsForAKick) {
  ScriptedVcpu vcpu;
  std::thread kicker([&] { vcpu.Kick(); });
  EXPECT_TRUE(std::holds_alternative<InterruptedExit>(*vcpu.Run()));
  kicker.join();
  EXPECT_TRUE(std::holds_alternative<InterruptedExit>(*vcpu.Run())) << "a kick is sticky";
  EXPECT_EQ(vcpu.kicks(), 1);
}

}  // namespace
}  // namespace vmm
