// A guest's words by VMware's backdoor, in the places where its user finds them: the record and the dump. The guest
// "vmport" in guests_test checks the answers of the port itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "devices/vmport/testing/backdoor_client.h"
#include "dump/read/vmcore.h"
#include "guest-tests/vmm_process.h"
#include "nlohmann/json.hpp"

namespace vmm {
namespace {

using testing::HasSubstr;

class VmportTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
    std::string pattern = testing::TempDir() + "/vmport.XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }

  VmmResult Run(const std::string& append, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"--dump-dir=" + dir_, "--result=" + dir_ + "/result.json", "--panic-grace=0"});
    return RunGuest("vmport", append, flags);
  }

  nlohmann::json Record() const { return nlohmann::json::parse(std::ifstream(dir_ + "/result.json")); }

  std::string dir_;
};

TEST_F(VmportTest, WhatTheGuestSetIsInTheRecordAndWhatItWasGivenIsNot) {
  const VmmResult result = Run("memory=64 only=messages", {"--vmport", "--guestinfo=host=given"});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  const nlohmann::json vmport = Record()["vmport"];
  EXPECT_EQ(vmport["guestinfo"], nlohmann::json({{"metal", "yes"}}));
  EXPECT_EQ(vmport["tools"]["running"], false);
  EXPECT_THAT(result.err, HasSubstr("vmport: "));
}

TEST_F(VmportTest, WithoutThePortTheRecordHasNothingOfIt) {
  const VmmResult result = Run("port=off", {});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_FALSE(Record().contains("vmport"));
  EXPECT_THAT(result.err, testing::Not(HasSubstr("vmport")));
}

TEST_F(VmportTest, ADumpHasWhatTheGuestSetAndAStateThatCanBeRestored) {
  const VmmResult result = Run("only=messages then=panic", {"--vmport", "--guestinfo=host=given"});
  ASSERT_EQ(result.exit_code, 120) << result.Describe();
  const auto core = Vmcore::Open(dir_ + "/vmcore");
  ASSERT_TRUE(core.ok()) << core.status();

  const VmcoreNote* const words = (*core)->FindNote("VMM");
  ASSERT_NE(words, nullptr);
  const auto json = nlohmann::json::parse(words->desc.begin(), words->desc.end());
  EXPECT_EQ(json["vmport"]["guestinfo"]["metal"], "yes");

  const VmcoreNote* const state = (*core)->FindNote("VMM-VMPORT");
  ASSERT_NE(state, nullptr);
  TestBackdoor restored;
  const absl::Status status =
      restored.backdoor.Restore(std::string(state->desc.begin(), state->desc.end()), Backdoor::RestoreMode::kExact);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(restored.backdoor.GuestInfo().at("metal").value, "yes");
  EXPECT_EQ(restored.backdoor.GuestInfo().at("host").value, "given");
}

TEST_F(VmportTest, V9_WithoutToolsASoftPowerOffIsRefusedWithAReason) {
  VmmProcess process(GuestArgs("spin", "", {"--vmport", "--soft-power=30s"}));
  ASSERT_TRUE(process.WaitForError("vmport: "));
  process.Signal(SIGTERM);
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 128 + SIGTERM) << result.Describe();
  EXPECT_THAT(result.err, HasSubstr("no VMware tools answer in the guest"));
  EXPECT_LT(result.seconds, 25);
}

}  // namespace
}  // namespace vmm
