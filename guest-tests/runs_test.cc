// The start, course and end of a run, as its user sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "guest-tests/vmm_process.h"
#include "nlohmann/json.hpp"

namespace vmm {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// Anything immediate takes less than this even on a busy host; a hang takes longer.
constexpr std::chrono::seconds kAtOnce(20);

class RunsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
    std::string pattern = testing::TempDir() + "/run.XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }

  bool NothingWasWritten() const { return std::filesystem::is_empty(dir_); }

  std::string dir_;
};

TEST_F(RunsTest, BothConsolesComeOutOnStdoutAndOurWordsOnStderr) {
  const VmmResult result = RunGuest("hello");
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_EQ(result.out, "hello on the serial port\nhello on the debug console\n");
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("guest exit, status 0 [exit 0]"));
}

TEST_F(RunsTest, AGuestsStatusUpTo119IsTheExitCode) {
  for (const int status : {0, 1, 2, 77, 118, 119}) {
    for (const char* width : {"8", "16", "32"}) {
      const VmmResult result = RunGuest("exit_status", "status=" + std::to_string(status) + " width=" + width);
      EXPECT_EQ(result.exit_code, status) << result.Describe();
    }
  }
}

TEST_F(RunsTest, ALargerStatusIs119AndIsNamed) {
  for (const char* status : {"120", "200", "255"}) {
    const VmmResult result = RunGuest("exit_status", std::string("status=") + status);
    EXPECT_EQ(result.exit_code, 119) << result.Describe();
    EXPECT_THAT(result.LastErrorLine(), HasSubstr(std::string("status ") + status));
  }
  EXPECT_EQ(RunGuest("exit_status", "width=32 status=0x100").exit_code, 119) << "not its low byte";
  EXPECT_EQ(RunGuest("exit_status", "width=32 status=0xffffffff").exit_code, 119);
}

TEST_F(RunsTest, PowerOffIsACleanEnd) {
  for (const char* how : {"", "bytes=1"}) {
    const VmmResult result = RunGuest("power_off", how);
    EXPECT_EQ(result.exit_code, 0) << result.Describe();
    EXPECT_THAT(result.out, HasSubstr("# another type"));
    EXPECT_THAT(result.LastErrorLine(), HasSubstr("power-off (acpi)"));
  }
}

TEST_F(RunsTest, AResetIsNotACleanEnd) {
  for (const char* by : {"i8042", "cf9", "acpi"}) {
    const VmmResult result = RunGuest("reset", std::string("by=") + by);
    EXPECT_EQ(result.exit_code, 123) << by << ": " << result.Describe();
    EXPECT_THAT(result.LastErrorLine(), HasSubstr("reset ("));
  }
}

TEST_F(RunsTest, WhatIsTypedComesBackInCapitals) {
  VmmProcess process(GuestArgs("serial_echo", "bytes=6"));
  ASSERT_TRUE(process.WaitForOutput("type: "));
  process.Type("hel");
  ASSERT_TRUE(process.WaitForOutput("HEL"));
  process.Type("lo\n");
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr("type: HELLO\n"));
}

TEST_F(RunsTest, MoreThanAFifoFullIsTypedWithoutALoss) {
  const std::string line(5000, 'x');
  VmmProcess process(GuestArgs("serial_echo", "bytes=5001"));
  ASSERT_TRUE(process.WaitForOutput("type: "));
  process.Type(line + "\n");
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr(std::string(5000, 'X') + "\n"));
}

TEST_F(RunsTest, NoneOfALotOfOutputIsLost) {
  const VmmResult result = RunGuest("console_flood", "lines=300");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out.size(), 300u * 63);
}

TEST_F(RunsTest, EveryElementOfAStringInstructionComesOut) {
  const VmmResult result = RunGuest("pio_strings");
  EXPECT_EQ(result.out.find("nothing of this"), std::string::npos) << "a count of 0";
  std::string letters;
  for (int i = 0; i < 4097; ++i) letters += static_cast<char>('a' + i % 26);
  std::string lines;
  for (const size_t count : {1, 2, 7, 1023, 1024, 4097}) lines += letters.substr(0, count) + "\n";
  EXPECT_THAT(result.out, testing::StartsWith(lines + "backwards\n"));
}

TEST_F(RunsTest, TheClockOfTheGuestIsTheHostsInUtc) {
  const time_t before = time(nullptr);
  const VmmResult result = RunGuest("rtc");
  tm clock = {};
  const size_t at = result.out.find("rtc ");
  ASSERT_NE(at, std::string::npos) << result.Describe();
  ASSERT_NE(strptime(result.out.c_str() + at, "rtc %Y-%m-%d %H:%M:%S", &clock), nullptr) << result.out;
  EXPECT_GE(timegm(&clock), before);
  EXPECT_LE(timegm(&clock), time(nullptr));
}

TEST_F(RunsTest, AReaderThatGoesAwayDoesNotEndTheGuest) {
  VmmProcess process(GuestArgs("console_flood", "lines=300"));
  process.CloseOutput();
  EXPECT_EQ(process.Wait().exit_code, 0);
}

TEST_F(RunsTest, AReaderThatDoesNotReadDoesNotKeepTheRunFromEnding) {
  for (const char* timeout : {"--timeout=1s", "--timeout=off"}) {
    VmmProcess process(GuestArgs("console_flood", "lines=100000", {timeout}));
    std::this_thread::sleep_for(milliseconds(500));
    if (std::string_view(timeout) == "--timeout=off") process.Signal(SIGTERM);
    EXPECT_TRUE(process.EndsUnread(kAtOnce)) << timeout;
  }
}

// Returns a shell command that runs vmm on a standard output that this user may not reopen, like a pipe or terminal of
// another user. Root may open anything, unless it gives up that right.
std::string OnForeignPipe(const std::string& command) {
  const std::string said = "(exec 3>/dev/stdout) 2>/dev/null && echo it can be opened again >&2; exec ";
  const std::string root = "exec setpriv --bounding-set=-dac_override,-dac_read_search ";
  return "chmod 0 /dev/stdout; " + (geteuid() == 0 ? root : std::string("exec ")) + "sh -c '" + said + command + "'";
}

TEST_F(RunsTest, AConsoleThatCannotBeOpenedAgainComesOutWhole) {
  const std::string command =
      OnForeignPipe("vmm/vmm --kernel=guest-tests/console_flood.elf --memory=64M --append=lines=300");
  const VmmResult result = VmmProcess({"-c", command}, VmmProcess::Stdin::kPipe, "/bin/sh").Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_EQ(result.err.find("it can be opened again"), std::string::npos);
  EXPECT_EQ(result.out.size(), 300u * 63);
}

TEST_F(RunsTest, AConsoleThatCannotBeOpenedAgainDoesNotKeepTheRunFromEndingWithItsRecord) {
  const std::string path = dir_ + "/result.json";
  const std::string run =
      "vmm/vmm --kernel=guest-tests/console_flood.elf --memory=64M --append=lines=100000 --result=" + path;
  for (const char* how : {" --timeout=1s", "", " --timeout=1s 2>&1", " 2>&1"}) {
    const bool by_signal = std::string_view(how).find("timeout") == std::string_view::npos;
    VmmProcess process({"-c", OnForeignPipe(run + how)}, VmmProcess::Stdin::kPipe, "/bin/sh");
    // The partial record exists once the run begins.
    for (int i = 0; i < 200 && NothingWasWritten(); ++i) std::this_thread::sleep_for(milliseconds(50));
    std::this_thread::sleep_for(milliseconds(1000));
    if (by_signal) process.Signal(SIGTERM);
    EXPECT_TRUE(process.EndsUnread(kAtOnce)) << how;
    const nlohmann::json record = nlohmann::json::parse(std::ifstream(path));
    EXPECT_EQ(record["exit_code"], by_signal ? 128 + SIGTERM : 124) << how;
    EXPECT_EQ(process.Wait().err.find("it can be opened again"), std::string::npos);
    std::filesystem::remove(path);
  }
}

TEST_F(RunsTest, WithoutStandardStreamsAGuestRunsAllTheSame) {
  for (const char* closed : {"<&-", ">&-", "2>&-", "<&- >&- 2>&-"}) {
    const std::string command = std::string("exec vmm/vmm --kernel=guest-tests/hello.elf --memory=64M ") + closed;
    const VmmResult result = VmmProcess({"-c", command}, VmmProcess::Stdin::kPipe, "/bin/sh").Wait();
    EXPECT_EQ(result.exit_code, 0) << closed << ": " << result.Describe();
  }
}

TEST_F(RunsTest, AGuestThatSleepsForEverRunsIntoTheTimeout) {
  const VmmResult result = RunGuest("hlt", "for=ever", {"--timeout=500ms", "--dump-dir=" + dir_});
  EXPECT_EQ(result.exit_code, 124) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("time-out"));
  EXPECT_GE(result.seconds, 0.5);
  EXPECT_LT(result.seconds, kAtOnce.count());
  EXPECT_TRUE(NothingWasWritten());
}

TEST_F(RunsTest, SoDoesOneThatSpins) {
  for (const char* append : {"", "cpl=3"}) {
    const VmmResult result = RunGuest("spin", append, {"--timeout=500ms", "--cpus=2"});
    EXPECT_EQ(result.exit_code, 124) << result.Describe();
    EXPECT_LT(result.seconds, kAtOnce.count());
  }
}

TEST_F(RunsTest, ASignalEndsASpinningGuestWithinASecond) {
  std::chrono::steady_clock::duration quickest = kAtOnce;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    for (const char* append : {"", "cpl=3"}) {
      VmmProcess process(GuestArgs("spin", append, {"--cpus=3", "--dump-dir=" + dir_}));
      ASSERT_TRUE(process.WaitForOutput("# spinning"));
      const auto sent = std::chrono::steady_clock::now();
      process.Signal(signal);
      const VmmResult result = process.Wait(kAtOnce);
      quickest = std::min(quickest, std::chrono::steady_clock::now() - sent);
      EXPECT_EQ(result.exit_code, 128 + signal) << result.Describe();
      EXPECT_THAT(result.LastErrorLine(), HasSubstr("stopped by signal"));
      EXPECT_TRUE(NothingWasWritten());
    }
  }
  EXPECT_LT(quickest, std::chrono::seconds(1));
}

TEST_F(RunsTest, ASignalLeavesARecordAndASigtermSaysWhereTheGuestStood) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const std::string path = dir_ + "/signal.json";
    VmmProcess process(GuestArgs("spin", "", {"--cpus=2", "--result=" + path}));
    ASSERT_TRUE(process.WaitForOutput("# spinning"));
    process.Signal(signal);
    const VmmResult result = process.Wait(kAtOnce);
    const nlohmann::json record = nlohmann::json::parse(std::ifstream(path));
    EXPECT_EQ(record["outcome"], "interrupted");
    EXPECT_EQ(record["exit_code"], 128 + signal);
    EXPECT_EQ(record["dump"], nullptr);
    EXPECT_EQ(record["death"].is_null(), signal != SIGTERM);
    EXPECT_EQ(result.err.find("vCPU 0 stood at 0x") != std::string::npos, signal == SIGTERM) << result.err;
    std::filesystem::remove(path);
  }
}

TEST_F(RunsTest, ASleepingGuestIsEndedBySignalsToo) {
  VmmProcess process(GuestArgs("hlt", "for=ever"));
  ASSERT_TRUE(process.WaitForOutput("good night"));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(kAtOnce).exit_code, 128 + SIGTERM);
}

TEST_F(RunsTest, ABackEndThatDiesEndsTheRunAndIsNamed) {
  VmmProcess process(GuestArgs("spin", "", {"--share=" + dir_}));
  if (!process.WaitForOutput("# spinning")) {
    const VmmResult result = process.Wait();
    EXPECT_EQ(result.exit_code, 125) << result.Describe();
    GTEST_SKIP() << result.LastErrorLine();
  }
  const std::string self = std::to_string(process.pid());
  pid_t back_end = 0;
  std::ifstream("/proc/" + self + "/task/" + self + "/children") >> back_end;
  ASSERT_GT(back_end, 0);
  kill(back_end, SIGKILL);
  const VmmResult result = process.Wait(kAtOnce);
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(),
              HasSubstr("virtiofsd of " + dir_ + " was killed by signal 9 (Killed) [exit 125]"));
}

TEST_F(RunsTest, AFolderThatIsNotThereIsNamedBeforeTheGuestRuns) {
  const VmmResult result = VmmProcess(GuestArgs("spin", "", {"--share=" + dir_ + "/none"})).Wait();
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("/none: No such file or directory [exit 125]"));
}

bool IsRaw(const termios& settings) { return (settings.c_lflag & (ICANON | ECHO)) == 0; }

TEST_F(RunsTest, TheTerminalIsRawDuringTheRunAndAsBeforeAfterwards) {
  if (const auto why = WhyNoTerminal()) GTEST_SKIP() << *why;
  VmmProcess process(GuestArgs("spin"), VmmProcess::Stdin::kTerminal);
  ASSERT_TRUE(process.WaitForOutput("# spinning"));
  termios settings;
  ASSERT_EQ(tcgetattr(process.terminal(), &settings), 0);
  EXPECT_TRUE(IsRaw(settings));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait().exit_code, 128 + SIGTERM);
  ASSERT_EQ(tcgetattr(process.terminal(), &settings), 0);
  EXPECT_FALSE(IsRaw(settings));
}

TEST_F(RunsTest, CtrlAXOnATerminalQuits) {
  if (const auto why = WhyNoTerminal()) GTEST_SKIP() << *why;
  VmmProcess process(GuestArgs("spin"), VmmProcess::Stdin::kTerminal);
  ASSERT_TRUE(process.WaitForOutput("# spinning"));
  process.Type("\x01x");
  const VmmResult result = process.Wait(kAtOnce);
  EXPECT_EQ(result.exit_code, 128 + SIGINT) << result.Describe();
}

TEST_F(RunsTest, CtrlAXInAPipeIsTheGuests) {
  VmmProcess process(GuestArgs("serial_echo", "bytes=3"));
  ASSERT_TRUE(process.WaitForOutput("type: "));
  process.Type("\x01x\n");
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
}

TEST_F(RunsTest, APausedGuestWaitsForASignal) {
  VmmProcess process(GuestArgs("pvpanic", "write=1", {"--on-panic=pause", "--panic-grace=0", "--dump-dir=" + dir_}));
  ASSERT_TRUE(process.WaitForError("the guest's memory and registers are kept"));
  EXPECT_FALSE(process.WaitForError("[exit", milliseconds(300))) << "it must not end by itself";
  process.Signal(SIGTERM);
  const VmmResult result = process.Wait(kAtOnce);
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("panic (pvpanic)"));
  EXPECT_TRUE(NothingWasWritten());
}

TEST_F(RunsTest, TheRecordTellsTheSameAsTheLastLine) {
  const std::string path = dir_ + "/result.json";
  const VmmResult result = RunGuest("exit_status", "status=7", {"--result=" + path});
  const nlohmann::json record = nlohmann::json::parse(std::ifstream(path));
  EXPECT_EQ(record["exit_code"], 7);
  EXPECT_EQ(record["guest_status"], 7);
  EXPECT_EQ(record["outcome"], "guest-exit");
  EXPECT_THAT(result.LastErrorLine(), HasSubstr(std::string(record["summary"])));
  EXPECT_EQ(record["guest"]["cmdline"], "status=7");
  EXPECT_EQ(record["guest"]["memory_bytes"], 64 << 20);
  EXPECT_EQ(record["guest"]["cpus"], 1);
}

TEST_F(RunsTest, TheRecordCanGoToStdout) {
  const VmmResult result = RunGuest("exit_status", "status=7", {"--result=-"});
  EXPECT_EQ(nlohmann::json::parse(result.out)["exit_code"], 7);
}

TEST_F(RunsTest, ARecordWithoutAPlaceIsSaidBeforeTheGuestRuns) {
  const VmmResult result = RunGuest("hello", "", {"--result=" + dir_ + "/missing/result.json"});
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  EXPECT_EQ(result.out, "") << "the guest did not run";
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("missing"));
}

TEST_F(RunsTest, ARecordThatCannotBeWrittenIs125AndTheLastLineSaysBoth) {
  const VmmResult result = RunGuest("exit_status", "status=7", {"--result=/dev/full"});
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("guest exit, status 7; no record: --result=/dev/full"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("No space left on device [exit 125]"));
}

TEST_F(RunsTest, ARecordOnAFullDiskLeavesTheOlderOne) {
  // Two pages: one for the old record, one for what fills the disk.
  if (mount("tmpfs", dir_.c_str(), "tmpfs", 0, "size=8k") != 0) GTEST_SKIP() << "may not mount a tmpfs";
  const std::string path = dir_ + "/result.json";
  std::ofstream(path) << "old";
  std::ofstream(dir_ + "/filler") << std::string(4096, 'x');
  const VmmResult result = RunGuest("hello", "", {"--result=" + path});
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("guest exit, status 0; no record"));
  EXPECT_EQ(std::filesystem::file_size(path), 3u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), std::filesystem::directory_iterator()), 2);
  EXPECT_EQ(umount(dir_.c_str()), 0);
}

TEST_F(RunsTest, TheRecordGoesThroughDevicesAndDescriptorsAndReplacesNone) {
  EXPECT_EQ(RunGuest("exit_status", "status=7", {"--result=/dev/null"}).exit_code, 7);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  const std::string run = "exec vmm/vmm --kernel=guest-tests/exit_status.elf --memory=64M --append=status=7 --result=";
  for (const std::string& to : {"/dev/fd/7 7>" + dir_ + "/out", "/dev/stdout >" + dir_ + "/out"}) {
    const VmmResult result = VmmProcess({"-c", run + to}, VmmProcess::Stdin::kPipe, "/bin/sh").Wait();
    EXPECT_EQ(result.exit_code, 7) << to << ": " << result.Describe();
    EXPECT_EQ(nlohmann::json::parse(std::ifstream(dir_ + "/out"))["exit_code"], 7) << to;
  }
}

TEST_F(RunsTest, ARecordForAFifoWaitsForItsReaderAndNotForEver) {
  const std::string path = dir_ + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  VmmProcess process(GuestArgs("exit_status", "status=7", {"--result=" + path}));
  EXPECT_EQ(nlohmann::json::parse(std::ifstream(path))["exit_code"], 7);
  EXPECT_EQ(process.Wait().exit_code, 7);

  const VmmResult unread = VmmProcess(GuestArgs("exit_status", "status=7", {"--result=" + path})).Wait(kAtOnce);
  EXPECT_FALSE(unread.overran);
  EXPECT_EQ(unread.exit_code, 125) << unread.Describe();
  EXPECT_THAT(unread.LastErrorLine(), HasSubstr("nobody reads this FIFO"));
}

TEST_F(RunsTest, WhatAKilledRunLeavesOfItsRecordIsRemovedByTheNextOne) {
  const std::string flag = "--result=" + dir_ + "/result.json";
  {
    VmmProcess process(GuestArgs("spin", "", {flag}));
    ASSERT_TRUE(process.WaitForOutput("# spinning"));
  }  // SIGKILL
  EXPECT_FALSE(NothingWasWritten()) << "the partial file is there from the start on";
  EXPECT_EQ(RunGuest("exit_status", "status=7", {flag}).exit_code, 7);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), std::filesystem::directory_iterator()), 1);
}

TEST_F(RunsTest, PathsAndWordsThatAreNoTextCanBeReadOutOfTheRecord) {
  const std::string path = dir_ + "/odd\xff.json";
  const VmmResult result = RunGuest("exit_status", "status=7 odd=\xfe", {"--result=" + path});
  EXPECT_EQ(result.exit_code, 7) << result.Describe();
  const nlohmann::json record = nlohmann::json::parse(std::ifstream(path));
  EXPECT_EQ(record["guest"]["cmdline"], "status=7 odd=\ufffd");
  EXPECT_EQ(record["guest"]["cmdline_base64"], "c3RhdHVzPTcgb2RkPf4=");
  EXPECT_TRUE(record.contains("command_base64"));
  EXPECT_FALSE(record["guest"].contains("kernel_base64"));
}

TEST_F(RunsTest, AnEntryOutsideTheImageIsRefused) {
  const std::string path = dir_ + "/entry.elf";
  std::filesystem::copy_file("guest-tests/hello.elf", path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  const uint64_t entry = 0x3000000;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(24);  // e_entry
  file.write(reinterpret_cast<const char*>(&entry), sizeof(entry));
  file.close();
  const VmmResult result = RunVmm({"--kernel=" + path, "--memory=64M"});
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("e_entry 0x3000000"));
}

TEST_F(RunsTest, ManyCanRunSideBySide) {
  std::vector<std::unique_ptr<VmmProcess>> processes;
  for (int i = 0; i < 10; ++i) processes.push_back(std::make_unique<VmmProcess>(GuestArgs("hello")));
  for (auto& process : processes) EXPECT_EQ(process->Wait().exit_code, 0);
}

}  // namespace
}  // namespace vmm
