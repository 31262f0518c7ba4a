// Guests that hang, each in its own way, and guests that only seem to hang.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "guest-tests/core_notes.h"
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

  // Parses a field like "0x1000a4".
  static uint64_t Number(const nlohmann::json& hex) { return std::stoull(hex.get<std::string>(), nullptr, 0); }

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

// A kernel that died of an early exception halts like this.
TEST_F(HangsTest, AVcpuThatIsHaltedWithInterruptsOffIsAHang) {
  const VmmResult result = Run("by=halted");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("hang: vCPU 0 is halted with interrupts off, at 0x"));
  const nlohmann::json hang = Record()["hang"];
  EXPECT_EQ(hang["kind"], "halted");
  EXPECT_EQ(hang["vcpu"], 0);
  EXPECT_EQ(hang["nmi"]["registers_before"][0]["state"], "halted");
  EXPECT_THAT(result.out, HasSubstr("# an NMI came")) << "it can still be asked";
  EXPECT_TRUE(HasDump());
}

TEST_F(HangsTest, TwoVcpusThatAreHaltedWithInterruptsOffAreAHang) {
  const VmmResult result = Run("by=offline other=halted", {"--cpus=2", "--hang-after=1s", "--timeout=60s"});
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_EQ(Record()["hang"]["kind"], "halted");
  EXPECT_EQ(Record()["hang"]["vcpu"], -1);
  EXPECT_EQ(Record()["hang"]["nmi"]["registers_before"][1]["state"], "halted");
}

TEST_F(HangsTest, AVcpuThatWasTakenOfflineIsNoneWhileAnotherWorks) {
  for (const char* offline : {"offline=1", "offline=0"}) {
    const std::string append = std::string("by=offline ") + offline;
    EXPECT_EQ(Run(append, {"--cpus=2", "--hang-after=1s", "--timeout=3s"}).exit_code, 124) << offline;
  }
}

TEST_F(HangsTest, WhereTheOtherOnlyWaitsItIsIdleAndTheHaltedOneIsNamed) {
  const VmmResult result = Run("by=offline offline=0 other=idle", {"--cpus=2", "--hang-after=1s", "--timeout=60s"});
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_EQ(Record()["hang"]["kind"], "idle");
  EXPECT_THAT(Record()["hang"]["detail"].get<std::string>(), HasSubstr("vCPU 0 is halted with interrupts off, at 0x"));
}

TEST_F(HangsTest, AGuestThatTheNmiDestroysKeepsItsRegistersFromBefore) {
  constexpr uint64_t kR15 = 0x2020202020353172;  // "r15" and blanks
  const VmmResult result = Run("by=no-idt");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  EXPECT_EQ(Record()["panic"]["source"], "triple-fault");
  const nlohmann::json hang = Record()["hang"];
  EXPECT_EQ(hang["kind"], "interrupts-off");
  EXPECT_EQ(hang["nmi"]["vcpu"], 0);
  EXPECT_EQ(hang["nmi"]["destroyed_vcpu"], 0);
  const nlohmann::json before = hang["nmi"]["registers_before"][0];
  EXPECT_EQ(before["state"], "running");
  const auto notes = ReadCoreNotes(dir_ + "/vmcore");
  ASSERT_TRUE(notes.ok()) << notes.status();
  const uint64_t rip = Number(before["rip"]);
  // The first look may have come before the guest was in its loop.
  const bool looked_at_the_loop = std::ranges::any_of(hang["rips"], [rip](const nlohmann::json& place) {
    return std::max(rip, Number(place)) - std::min(rip, Number(place)) <= 4;  // the loop is 4 bytes long
  });
  EXPECT_TRUE(looked_at_the_loop) << hang.dump();
  EXPECT_EQ(notes->prstatus[0].at("rip"), rip);
  EXPECT_EQ(notes->prstatus[0].at("r15"), kR15);
  EXPECT_EQ(notes->qemu[0].at("rip"), rip);
  EXPECT_EQ(notes->qemu[0].at("rbx"), kR15);
}

TEST_F(HangsTest, AGuestThatPanicsOfTheNmiHasTheRegistersOfThePanicInItsDumpAndThoseFromBeforeInTheRecord) {
  const VmmResult result = Run("by=irqs-off nmi=panic");
  EXPECT_EQ(result.exit_code, 122) << result.Describe();
  const nlohmann::json nmi = Record()["hang"]["nmi"];
  EXPECT_EQ(nmi["destroyed_vcpu"], nullptr);
  const uint64_t before = Number(nmi["registers_before"][0]["rip"]);
  const auto notes = ReadCoreNotes(dir_ + "/vmcore");
  ASSERT_TRUE(notes.ok()) << notes.status();
  EXPECT_NE(notes->prstatus[0].at("rip"), before);
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
  const VmmResult result = RunWatched("feeds=6 then=stop");  // more than two seconds fed, then as long stopped
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
