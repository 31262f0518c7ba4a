// Debian's vmtoolsd against the backdoor: the only client of TCLO that is not ours. It runs without its plugins, so
// that no request affects the machine that runs the tests.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "devices/vmport/backdoor.h"
#include "devices/vmport/testing/backdoor_client.h"
#include "guest-tests/vmport/clients.h"
#include "guest-tests/vmport/traced_client.h"

namespace vmm {
namespace {

using Outcome = TcloResult::Outcome;

const std::string kVmtoolsd = ClientPath("/usr/bin/vmtoolsd");

class VmtoolsdTest : public testing::Test {
 protected:
  void SetUp() override {
    if (access(kVmtoolsd.c_str(), X_OK) != 0) {
      GTEST_SKIP() << kVmtoolsd << " is not there: vmport/fetch-clients gets it";
    }
    UseClientLibraries();
    directory_ = testing::TempDir() + "/vmtoolsd";
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ + "/tools.conf") << "[logging]\nlog = false\n";
  }

  // Runs the daemon until `done` returns true.
  TracedRun RunDaemon(std::function<bool()> done) {
    options_.done = std::move(done);
    auto run = RunTraced({kVmtoolsd, "--name=vmsvc", "--config=" + directory_ + "/tools.conf",
                          "--plugin-path=" + directory_, "--common-path=" + directory_},
                         options_);
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() ? *std::move(run) : TracedRun();
  }

  std::string directory_;
  TestBackdoor test_;
  Backdoor& backdoor_ = test_.backdoor;
  TraceOptions options_ = {.on_in = [this](BackdoorRegisters& registers) { backdoor_.In(0, 4, registers); }};
};

TEST_F(VmtoolsdTest, V7_ItsCommandGetsGuestinfo) {
  ASSERT_TRUE(backdoor_.SetGuestInfo("a", "hello").ok());
  const auto run = RunTraced({kVmtoolsd, "--cmd", "info-get guestinfo.a"}, options_);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->exit_status, 0) << run->err;
  EXPECT_EQ(run->out, "hello\n");
}

TEST_F(VmtoolsdTest, V8_ItAnswersResetRegistersItsVersionAndAnswersPing) {
  std::vector<TcloResult> results;
  std::optional<uint64_t> ping;
  RunDaemon([&] {
    if (!ping && backdoor_.Tools().running && backdoor_.Tools().info.version != 0) {
      const auto id = backdoor_.Send(std::string(kTcloPing));
      EXPECT_TRUE(id.ok()) << id.status();
      ping = id.ok() ? *id : 0;
    }
    results = backdoor_.TakeResults();
    return !results.empty();
  });
  EXPECT_EQ(backdoor_.Tools().program, "toolbox");
  EXPECT_GT(backdoor_.Tools().info.version, 0u);
  ASSERT_TRUE(ping.has_value());
  EXPECT_EQ(results, (std::vector<TcloResult>{{*ping, Outcome::kOk, ""}}));
}

// Without its plugin, vmtoolsd does not know the command, and says so.
TEST_F(VmtoolsdTest, V9_WithoutItsPowerPluginItRefusesToHalt) {
  std::vector<TcloResult> results;
  bool asked = false;
  RunDaemon([&] {
    if (!asked && backdoor_.Tools().running) {
      EXPECT_TRUE(backdoor_.Send(std::string(kTcloHalt)).ok());
      asked = true;
    }
    results = backdoor_.TakeResults();
    return !results.empty();
  });
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].outcome, Outcome::kError);
  EXPECT_EQ(results[0].text, "Unknown Command");
}

}  // namespace
}  // namespace vmm
