#include "vmm/backend/back_end_process.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/backend/find_program.h"

namespace vmm {
namespace {

// What a shell command, run as a back end, printed and how it ended.
struct Result {
  std::vector<std::string> lines;
  std::string how;
};

Result RunShell(const std::string& command, BackEndPlan plan = {}) {
  Result result;
  absl::Notification ended;
  plan.name = "shell";
  plan.argv = {"/bin/sh", "-c", command};
  plan.on_line = [&](std::string_view line) { result.lines.emplace_back(line); };
  const auto process = BackEndProcess::Start(plan, [&](std::string how) {
    result.how = std::move(how);
    ended.Notify();
  });
  if (!process.ok()) {
    result.how = std::string(process.status().message());
  } else if (!ended.WaitForNotificationWithTimeout(absl::Seconds(20))) {
    result.how = "still running";
  }
  return result;
}

TEST(BackEndProcessTest, ItsOutputComesLineByLineAndItsEndInWords) {
  const Result result = RunShell("echo one; echo two >&2; printf 'bell\\007 and no newline'; exit 7");
  EXPECT_EQ(result.lines, (std::vector<std::string>{"one", "two", "bell  and no newline"}));
  EXPECT_EQ(result.how, "ended with status 7");
}

TEST(BackEndProcessTest, ASignalIsNamed) { EXPECT_EQ(RunShell("kill -9 $$").how, "was killed by signal 9 (Killed)"); }

TEST(BackEndProcessTest, TalkativeProgramsAreCut) {
  const Result result = RunShell("i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done; exit 3");
  EXPECT_EQ(result.lines.size(), 200u);
  EXPECT_EQ(result.how, "ended with status 3");
  EXPECT_EQ(RunShell("head -c 100000 /dev/zero | tr '\\0' x").lines.at(0).size(), 500u);
}

TEST(BackEndProcessTest, ItHasOnlyItsOwnDescriptorsAndNoInput) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  const UniqueFd a(fds[0]), b(fds[1]);  // without close-on-exec
  BackEndPlan plan;
  plan.descriptors = {fds[1], fds[0]};
  const Result result = RunShell(
      "for n in 0 1 2 3 4 5 6 7 8 9 10 11; do [ -e /proc/$$/fd/$n ] && echo $n; done; readlink /proc/$$/fd/0; "
      "echo hello >&4",
      plan);
  EXPECT_EQ(result.lines, (std::vector<std::string>{"0", "1", "2", "3", "4", "/dev/null"}));
  char heard[16] = {};
  EXPECT_EQ(recv(b.get(), heard, sizeof heard, MSG_DONTWAIT), 6) << "4 is the second one that was passed";
}

TEST(BackEndProcessTest, SignalsThatAreBlockedHereAreNotBlockedThere) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const Result result = RunShell("kill -TERM $$; echo it is blocked");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(result.how, "was killed by signal 15 (Terminated)");
}

TEST(BackEndProcessTest, AProgramThatCannotBeRunIsAnErrorWithItsName) {
  const auto process = BackEndProcess::Start({.name = "virtiofsd of /srv", .argv = {"/no/such/program"}}, nullptr);
  EXPECT_EQ(process.status().message(), "start virtiofsd of /srv: execute it: No such file or directory");
}

TEST(BackEndProcessTest, ItEndsWithTheObjectEvenIfItDoesNotWantTo) {
  std::optional<std::string> how;
  auto process = BackEndProcess::Start(
      {.name = "stubborn", .argv = {"/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}},
      [&](std::string text) { how = std::move(text); });
  ASSERT_TRUE(process.ok());
  const pid_t pid = (*process)->pid();
  ASSERT_EQ(kill(pid, 0), 0);
  absl::SleepFor(absl::Milliseconds(100));
  process->reset();
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_FALSE(how.has_value()) << "we ended it, so nobody needs to hear of it";
}

TEST(BackEndProcessTest, ItDiesWithTheThreadThatStartedIt) {
  std::unique_ptr<BackEndProcess> process;
  absl::Notification ended;
  std::thread([&] {
    process = *BackEndProcess::Start({.name = "sleeper", .argv = {"/bin/sleep", "100"}},
                                     [&](const std::string&) { ended.Notify(); });
  }).join();
  EXPECT_TRUE(ended.WaitForNotificationWithTimeout(absl::Seconds(10)));
}

class WorldTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_ + "/sub");
    BackEndPlan plan;
    plan.world = BackEndPlan::World::kRootThere;
    if (const Result probe = RunShell("exit 0", plan); probe.how != "ended with status 0") {
      GTEST_SKIP() << "no namespaces here: " << probe.how;
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  const std::string folder_ = std::filesystem::canonical(testing::TempDir()).string() + "/world";
};

TEST_F(WorldTest, AReadOnlyFolderIsReadOnlyInThereAlone) {
  BackEndPlan plan;
  plan.world = BackEndPlan::World::kRootThere;
  plan.read_only_folder = folder_;
  const Result result = RunShell("cd " + folder_ + " && touch sub/file || echo refused; id -u", plan);
  EXPECT_THAT(result.lines, testing::Contains(testing::HasSubstr("Read-only file system")));
  EXPECT_THAT(result.lines, testing::Contains("refused"));
  EXPECT_EQ(result.lines.back(), "0");
  EXPECT_EQ(RunShell("touch " + folder_ + "/sub/file").how, "ended with status 0") << "out here it is not";
}

TEST_F(WorldTest, ThereIsNoNetworkInThere) {
  BackEndPlan plan;
  plan.world = BackEndPlan::World::kNotRoot;
  const Result result = RunShell("tail -n +3 /proc/net/dev | wc -l; id -u", plan);
  EXPECT_EQ(result.lines, (std::vector<std::string>{"1", std::to_string(geteuid() != 0 ? geteuid() : 65534)}))
      << "the loopback interface alone";
}

TEST(FindProgramTest, TheFirstThatCanBeRunIsTaken) {
  constexpr std::string_view kOnes[] = {"/no/such/thing", "no-such-thing", "sh"};
  EXPECT_THAT(*FindProgram(kOnes, "dash"), testing::EndsWith("/sh"));
  constexpr std::string_view kNone[] = {"virtio-no-such-fsd"};
  EXPECT_EQ(FindProgram(kNone, "a-package").status().message(),
            "virtio-no-such-fsd is not installed; on Debian: apt install a-package");
}

TEST(FindProgramTest, WhatAProgramSaysIsKept) {
  EXPECT_THAT(*AskProgram("/bin/echo", "--version"), testing::HasSubstr("coreutils"));
  EXPECT_FALSE(AskProgram("/no/such/program", "--help").ok());
}

}  // namespace
}  // namespace vmm
