// Guests that hang, each in its way, and guests that only look like it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "guest-tests/vmm_process.h"
#include "nlohmann/json.hpp"

namespace vmm {
namespace {

using testing::HasSubstr;

class HangsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
    std::string pattern = testing::TempDir() + "/hang.XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }

  VmmResult Run(std::string_view append, std::vector<std::string> flags = {"--hang-after=1s", "--timeout=60s"}) {
    flags.insert(flags.begin(), {"--dump-dir=" + dir_, "--result=" + dir_ + "/result.json", "--panic-grace=0"});
    return RunGuest("hang", append, flags);
  }

  VmmResult RunWatched(std::string_view append,
                       std::vector<std::string> flags = {"--watchdog=ib700", "--timeout=60s"}) {
    flags.insert(flags.begin(), {"--dump-dir=" + dir_, "--result=" + dir_ + "/result.json"});
    return RunGuest("watchdog", append, flags);
  }

  bool HasDump() const { return std::filesystem::exists(dir_ + "/vmcore"); }
  nlohmann::json Record() const { return nlohmann::json::parse(std::ifstream(dir_ + "/result.json")); }

  std::string dir_;
};

TEST_F(HangsTest, ALoopWithInterruptsOffIsFoundAndDumped) {
  const VmmResult result = Run("by=irqs-off");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("hang: vCPU 0 runs with interrupts off, at 0x"));
  EXPECT_EQ(Record()["outcome"], "hang");
  EXPECT_EQ(Record()["hang"]["kind"], "interrupts-off");
  EXPECT_EQ(Record()["hang"]["vcpu"], 0);
  EXPECT_TRUE(HasDump());
}

TEST_F(HangsTest, TheGuestIsAskedByAnNmi) {
  const VmmResult result = Run("by=irqs-off");
  EXPECT_THAT(result.out, HasSubstr("# an NMI came"));
}

TEST_F(HangsTest, AGuestThatPanicsOfTheNmiHungAllTheSame) {
  const VmmResult result = Run("by=irqs-off nmi=panic");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_EQ(Record()["outcome"], "hang");
  EXPECT_EQ(Record()["panic"]["source"], "pvpanic");
  EXPECT_TRUE(HasDump());
}

TEST_F(HangsTest, ALoopOfTheKernelIsALivelock) {
  const VmmResult result = Run("by=livelock");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_EQ(Record()["hang"]["kind"], "livelock");
}

TEST_F(HangsTest, AGuestAtRestIsIdleForTooLong) {
  const VmmResult result = Run("by=idle");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_EQ(Record()["hang"]["kind"], "idle");
  EXPECT_EQ(Record()["hang"]["vcpu"], -1);
}

TEST_F(HangsTest, AProgramThatComputesIsNone) {
  EXPECT_EQ(Run("by=user", {"--hang-after=1s", "--timeout=3s"}).exit_code, 124);
}

TEST_F(HangsTest, AGuestThatTalksIsNone) {
  EXPECT_EQ(Run("by=talking", {"--hang-after=1s", "--timeout=3s"}).exit_code, 124);
}

TEST_F(HangsTest, WithoutTheFlagNobodyLooks) {
  EXPECT_EQ(Run("by=irqs-off", {"--timeout=2s"}).exit_code, 124);
  EXPECT_EQ(Record()["hang"], nullptr);
  EXPECT_FALSE(HasDump());
}

TEST_F(HangsTest, AWatchdogThatIsNoLongerFedSaysThatSomethingHangs) {
  const VmmResult result = RunWatched("feeds=1");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("hang: the guest did not feed its watchdog for 2s"));
  EXPECT_THAT(result.out, HasSubstr("# an NMI came"));
  EXPECT_EQ(Record()["outcome"], "hang");
  EXPECT_EQ(Record()["hang"]["kind"], "watchdog");
  EXPECT_EQ(Record()["panic"], nullptr) << "nobody has said that it panicked";
  EXPECT_TRUE(HasDump());
}

TEST_F(HangsTest, AWatchdogThatIsFedBitesNobodyAndOneThatIsStoppedNeither) {
  const VmmResult result = RunWatched("feeds=6 then=stop");  // more than two seconds of each
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
}

TEST_F(HangsTest, AMachineWithoutAWatchdogHasNone) {
  EXPECT_EQ(RunWatched("feeds=1", {"--timeout=5s"}).exit_code, 124);
}

TEST_F(HangsTest, OnPanicExitLeavesNoDump) {
  const VmmResult result = Run("by=irqs-off", {"--hang-after=1s", "--on-panic=exit"});
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_FALSE(HasDump());
}

}  // namespace
}  // namespace vmm
