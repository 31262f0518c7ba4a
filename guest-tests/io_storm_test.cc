// vCPUs that do random port and MMIO accesses at the same time, while the devices' threads run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;

class IoStormTest : public testing::TestWithParam<int> {};

TEST_P(IoStormTest, LeavesTheMachineRunningAndTheSandboxQuiet) {
  if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
  const VmmResult result = RunGuest("io_storm", absl::StrFormat("steps=4000 seed=%d", GetParam()),
                                    {"--cpus=2", "--vmport", "--timeout=50s"});
  EXPECT_EQ(result.exit_code, 0) << result.Describe().substr(0, 4000);
  EXPECT_THAT(result.out, HasSubstr("# the storm is over"));
}

INSTANTIATE_TEST_SUITE_P(Seeds, IoStormTest, testing::Range(1, 5));

}  // namespace
}  // namespace vmm
