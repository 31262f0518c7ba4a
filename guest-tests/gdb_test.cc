// The real gdb attached to a guest that runs, to one that has died, and to one that has not begun.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::Not;

class GdbTest : public testing::Test {
 protected:
  // A socket's path is short; that of Bazel's own folder for a test is not.
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
    if (system("gdb --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no gdb";
    std::string pattern = std::filesystem::temp_directory_path() / "vmm-gdb-XXXXXX";
    dir_ = mkdtemp(pattern.data());
    socket_ = dir_ + "/gdb";
  }

  void TearDown() override {
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }

  std::vector<std::string> Args(const char* guest, const char* append, std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--gdb=" + socket_, "--verbose", "--dump-dir=" + dir_});
    return GuestArgs(guest, append, std::move(flags));
  }

  static bool WaitForSocket(VmmProcess& vmm) { return vmm.WaitForError("to debug the guest: gdb -x "); }

  // What gdb prints when it carries out `commands`, with the guest's symbols.
  std::string Gdb(const char* guest, const std::vector<std::string>& commands) {
    std::string line =
        "timeout 100 gdb -nx -batch -iex 'set auto-load off' -ex 'set confirm off' -ex 'file guest-tests/" +
        std::string(guest) + ".elf' -ex 'target remote " + socket_ + "'";
    for (const std::string& command : commands) line += " -ex '" + command + "'";
    FILE* const out = popen((line + " 2>&1").c_str(), "r");
    if (out == nullptr) return "popen failed";
    std::string text;
    char bytes[4096];
    for (size_t size; (size = fread(bytes, 1, sizeof(bytes), out)) > 0;) text.append(bytes, size);
    pclose(out);
    return text;
  }

  std::string dir_, socket_;
};

TEST_F(GdbTest, ItBreaksLooksContinuesAndLeavesTheGuestAsIfNothingHadBeen) {
  VmmProcess vmm(Args("debugged", "", {"--cpus=2", "--start-paused"}));
  ASSERT_TRUE(WaitForSocket(vmm));
  struct stat status;
  ASSERT_EQ(stat(socket_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string said = Gdb("debugged", {"tbreak *start_cpus",
                                            "continue",
                                            "x/4xb one_round",
                                            "break *one_round",
                                            "continue",
                                            "info threads",
                                            "printf \"round %d at %d\\n\", $rdi, $rip == (long)&one_round",
                                            "continue",
                                            "printf \"round %d\\n\", $rdi",
                                            "x/4xb one_round",
                                            "set $old = $rax",
                                            "set $rax = 0x5a5a",
                                            "stepi",
                                            "printf \"%d bytes on, rax %x\\n\", $rip != (long)&one_round, $rax",
                                            "set $rax = $old",
                                            "x/gx &last_round",
                                            "set var *(long*)0x100000 = 0x1122334455667788",
                                            "x/gx 0x100000",
                                            "monitor info status",
                                            "print $cr0",
                                            "print $efer",
                                            "detach"});
  EXPECT_THAT(said, HasSubstr("Thread 2"));
  EXPECT_THAT(said, HasSubstr("CPU#1")) << said;
  EXPECT_THAT(said, HasSubstr("round 1 at 1")) << said;
  EXPECT_THAT(said, HasSubstr("round 2")) << said;
  EXPECT_THAT(said, Not(HasSubstr("0xe6\t0xfc"))) << "a planted instruction was shown: " << said;
  EXPECT_THAT(said, HasSubstr("1 bytes on, rax 5a5a")) << said;
  EXPECT_THAT(said, HasSubstr("0x1122334455667788")) << said;
  EXPECT_THAT(said, HasSubstr("VM status: paused")) << said;
  EXPECT_THAT(said, HasSubstr("PG")) << said;
  EXPECT_THAT(said, HasSubstr("LMA")) << said;
  const VmmResult result = vmm.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe() << said;
  EXPECT_THAT(result.out, HasSubstr("ok 2 - the code is as it was")) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr("ok 3 - every other CPU still counts")) << result.Describe();
}

TEST_F(GdbTest, AHundredBreakpointsLoseNothing) {
  VmmProcess vmm(Args("debugged", "rounds=100", {"--cpus=2", "--start-paused"}));
  ASSERT_TRUE(WaitForSocket(vmm));
  std::vector<std::string> commands = {"tbreak *start_cpus", "continue", "break *one_round"};
  for (int round = 0; round < 100; ++round) commands.emplace_back("continue");
  commands.insert(commands.end(), {"printf \"round %d\\n\", $rdi", "detach"});
  EXPECT_THAT(Gdb("debugged", commands), HasSubstr("round 100"));
  const VmmResult result = vmm.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
}

TEST_F(GdbTest, TheGuestsEndIsGdbsTooAndAGdbThatIsKilledHarmsNothing) {
  VmmProcess vmm(Args("debugged", "", {"--start-paused"}));
  ASSERT_TRUE(WaitForSocket(vmm));
  EXPECT_THAT(Gdb("debugged", {"continue"}), HasSubstr("exited normally"));
  EXPECT_EQ(vmm.Wait().exit_code, 0);

  VmmProcess spins(Args("spin", "", {"--cpus=2"}));
  ASSERT_TRUE(WaitForSocket(spins));
  ASSERT_TRUE(spins.WaitForOutput("spinning"));
  Gdb("spin", {"break *main", "shell kill -KILL $PPID"});
  EXPECT_THAT(Gdb("spin", {"info threads", "detach"}), HasSubstr("Thread 2"));
  spins.Signal(SIGTERM);
  EXPECT_EQ(spins.Wait().exit_code, 143);
}

TEST_F(GdbTest, CtrlCStopsAGuestThatRuns) {
  VmmProcess vmm(Args("spin", "", {"--cpus=2"}));
  ASSERT_TRUE(WaitForSocket(vmm));
  ASSERT_TRUE(vmm.WaitForOutput("spinning"));
  const std::string said =
      Gdb("spin", {"shell (sleep 1; kill -INT $PPID) &", "continue", "info threads", "monitor info status", "detach"});
  EXPECT_THAT(said, HasSubstr("SIGINT")) << said;
  EXPECT_THAT(said, HasSubstr("VM status: paused")) << said;
  vmm.Signal(SIGTERM);
  EXPECT_EQ(vmm.Wait().exit_code, 143);
}

TEST_F(GdbTest, AGuestThatHasDiedIsLookedAtAsItStands) {
  VmmProcess vmm(Args("panic_on_another_cpu", "", {"--cpus=2", "--on-panic=pause"}));
  ASSERT_TRUE(vmm.WaitForError("SIGTERM to process"));
  const std::string said =
      Gdb("panic_on_another_cpu", {"info threads", "info registers rip", "monitor info status", "continue"});
  EXPECT_THAT(said, HasSubstr("* 2 ")) << "the CPU that panicked is shown: " << said;
  EXPECT_THAT(said, HasSubstr("guest-panicked")) << said;
  EXPECT_THAT(said, HasSubstr("the guest has died; it cannot run on")) << said;
  vmm.Signal(SIGTERM);
  EXPECT_EQ(vmm.Wait().exit_code, 120);
}

TEST_F(GdbTest, StartPausedNeedsSomebodyWhoStarts) {
  const VmmResult result = RunGuest("hello", "", {"--start-paused"});
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  EXPECT_THAT(result.err, HasSubstr("--start-paused: nobody could start the guest"));
}

}  // namespace
}  // namespace vmm
