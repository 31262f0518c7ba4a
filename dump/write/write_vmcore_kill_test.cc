// Kills a process that writes a dump, at each of its system calls and at random moments. It leaves a whole vmcore or
// none, and partial files that the next dump removes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>

#include "base/partial_file.h"
#include "dump/testing/linux_guest.h"
#include "dump/write/write_vmcore.h"

namespace vmm {
namespace {

namespace fs = std::filesystem;

std::string Content(const fs::path& path) {
  std::string content(fs::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

class WriteVmcoreKillTest : public ::testing::TestWithParam<DumpFormat> {
 protected:
  WriteVmcoreKillTest() : guest_({.ram = {{GuestAddr{0}, 40 << 20}}}) {
    guest_.Put(GuestAddr{0x2000000}, std::string(2 << 20, 'x'));
    std::string name = ::testing::TempDir() + "/kill.XXXXXX";
    path_ = mkdtemp(name.data());
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(Write(), path_ / "vmcore");
    dump_time_ = std::chrono::steady_clock::now() - start;
    core_ = Content(path_ / "vmcore");
    if (fs::exists(path_ / "vmcore.gdb")) script_ = Content(path_ / "vmcore.gdb");
    Clear();
  }

  // Writes a dump and returns its path. Empty: it failed.
  fs::path Write() {
    const auto report = WriteVmcore(guest_.snapshot(), *OutputDir::Open(path_), {.format = GetParam()});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? report->path : "";
  }

  void Clear() {
    for (const auto& entry : fs::directory_iterator(path_)) fs::remove(entry);
  }

  int PartialFiles() const {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(path_)) count += IsPartialName(entry.path().filename().string());
    return count;
  }

  // Starts a process that writes the dump. `traced`: it stops before it begins.
  pid_t Start(bool traced) {
    const pid_t child = fork();
    if (child != 0) {
      if (traced) waitpid(child, nullptr, 0);
      return child;
    }
    if (traced) {
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
    }
    const auto report = WriteVmcore(guest_.snapshot(), *OutputDir::Open(path_), {.format = GetParam()});
    _exit(report.ok() ? 0 : 1);
  }

  // Runs `child` to its system call with index `call`, and stops it before that call is made. False if it ended first.
  static bool RunTo(pid_t child, int call) {
    ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (int stops = 0; stops <= 2 * call;) {  // one stop before each call, and one after it
      int status = 0;
      ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
      if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return false;
      if (WSTOPSIG(status) == (SIGTRAP | 0x80)) ++stops;
    }
    return true;
  }

  // Runs dumps up to each of their system calls in turn, or to each `stride`-th, and hands each process to `at_call`.
  // Returns the number of calls. If threads compress, the number of waits for them varies between dumps, so the loop
  // ends only after five dumps in a row have ended before their call.
  int ForEachCall(int stride, const std::function<void(pid_t)>& at_call) {
    int call = 0, ended = 0;
    for (; ended < 5 && !HasFailure(); call += stride) {
      SCOPED_TRACE("before call " + std::to_string(call));
      const pid_t child = Start(/*traced=*/true);
      if (RunTo(child, call)) {
        ended = 0;
        at_call(child);
      } else {
        ++ended;
        ExpectNothingHalf();
        Clear();
      }
    }
    return call - ended * stride;
  }

  static void Kill(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

  // Every file that has a final name is whole.
  void ExpectNothingHalf() {
    for (const auto& entry : fs::directory_iterator(path_)) {
      const std::string name = entry.path().filename();
      if (IsPartialName(name)) continue;
      ASSERT_TRUE(name == "vmcore" || name == "vmcore.gdb") << name;
      EXPECT_TRUE(Content(entry.path()) == (name == "vmcore" ? core_ : script_)) << name << " is not whole";
    }
  }

  void ExpectNextDumpCleansUp() {
    const fs::path next = Write();
    EXPECT_EQ(PartialFiles(), 0);
    EXPECT_EQ(fs::file_size(next), core_.size());
    Clear();
  }

  const bool full_ = std::getenv("VMM_TEST_FULL") != nullptr;  // asks for more kills, which takes long
  LinuxGuest guest_;
  fs::path path_;
  std::chrono::duration<double> dump_time_;
  std::string core_, script_;
};

TEST_P(WriteVmcoreKillTest, KilledAtAnySystemCallItLeavesAWholeFileOrNone) {
  int left_partial = 0, left_whole = 0;
  const int calls = ForEachCall(1, [&](pid_t child) {
    Kill(child);
    ExpectNothingHalf();
    left_partial += PartialFiles();
    left_whole += fs::exists(path_ / "vmcore");
    ExpectNextDumpCleansUp();
  });
  EXPECT_GT(calls, 50);
  EXPECT_GT(left_partial, 10);
  EXPECT_GE(left_whole, 1);
  std::printf(
      "killed before each of %d system calls: a partial file %d times, a whole vmcore %d times, a half one never\n",
      calls, left_partial, left_whole);
}

TEST_P(WriteVmcoreKillTest, ADumpThatIsStillWrittenIsNotTakenForAbandoned) {
  const int calls = ForEachCall(full_ ? 1 : 4, [&](pid_t child) {
    RemoveAbandonedFiles(*OutputDir::Open(path_));
    ptrace(PTRACE_DETACH, child, nullptr, nullptr);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_EQ(status, 0) << "a cleaner came";
    ASSERT_TRUE(Content(path_ / "vmcore") == core_);
    Clear();
  });
  EXPECT_GT(calls, 50);
}

TEST_P(WriteVmcoreKillTest, KilledAtAnyMomentItLeavesAWholeFileOrNone) {
  const int kills = full_ ? 500 : 60;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> moment(0, 1.2 * dump_time_.count());
  int left_partial = 0, left_whole = 0;
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    const pid_t child = Start(/*traced=*/false);
    usleep(static_cast<useconds_t>(moment(random) * 1e6));
    Kill(child);
    ExpectNothingHalf();
    left_partial += PartialFiles();
    left_whole += fs::exists(path_ / "vmcore");
    ExpectNextDumpCleansUp();
  }
  std::printf("killed %d times at random: a partial file %d times, a whole vmcore %d times, a half one never\n", kills,
              left_partial, left_whole);
}

INSTANTIATE_TEST_SUITE_P(Formats, WriteVmcoreKillTest, ::testing::Values(DumpFormat::kElf, DumpFormat::kKdumpZstd));

}  // namespace
}  // namespace vmm
