#include "vmm/sandbox/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "base/log.h"
#include "gtest/gtest.h"
#include "sandbox/landlock.h"

namespace vmm {
namespace {

// Each test confines a child process of its own: what is taken away does not come back.

std::unique_ptr<Sandbox> ConfinedProcess(SandboxMode mode = SandboxMode::kOn) {
  absl::StatusOr<std::unique_ptr<Sandbox>> sandbox = Sandbox::Create(mode);
  const std::vector<std::string> writable = {testing::TempDir()};
  if (!sandbox.ok() || !(*sandbox)->ConfineProcess(writable, {}).ok()) _exit(99);
  return *std::move(sandbox);
}

void ConfinedThreadCalls(ThreadKind kind, long call) {
  std::unique_ptr<Sandbox> sandbox = ConfinedProcess();
  std::thread([&] {
    sandbox->ConfineThread(kind);
    syscall(call, 0, 0, 0, 0, 0, 0);
  }).join();
  _exit(0);
}

class EveryThreadKind : public testing::TestWithParam<ThreadKind> {};

TEST_P(EveryThreadKind, DiesOfStartingAProgram) {
  EXPECT_EXIT(ConfinedThreadCalls(GetParam(), SYS_execve), testing::KilledBySignal(SIGSYS), "");
}

TEST_P(EveryThreadKind, DiesOfTracingAProcess) {
  EXPECT_EXIT(ConfinedThreadCalls(GetParam(), SYS_ptrace), testing::KilledBySignal(SIGSYS), "");
}

TEST_P(EveryThreadKind, DiesOfAnIoctlThatIsNotInItsList) {
  EXPECT_EXIT(ConfinedThreadCalls(GetParam(), __NR_ioctl), testing::KilledBySignal(SIGSYS), "");
}

TEST_P(EveryThreadKind, MakesACallThatIsAllowed) {
  EXPECT_EXIT(ConfinedThreadCalls(GetParam(), SYS_write), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Sandbox, EveryThreadKind, testing::ValuesIn(kThreadKinds),
                         [](const auto& info) { return std::string(ThreadKindName(info.param)); });

TEST(Sandbox, AVcpuThreadOpensNoFile) {
  EXPECT_EXIT(ConfinedThreadCalls(ThreadKind::kVcpu, SYS_openat), testing::KilledBySignal(SIGSYS), "");
}

TEST(Sandbox, AVcpuThreadStartsNoThread) {
  EXPECT_EXIT(ConfinedThreadCalls(ThreadKind::kVcpu, SYS_clone3), testing::KilledBySignal(SIGSYS), "");
}

TEST(Sandbox, AVcpuThreadHasAtMostTwentyCalls) { EXPECT_LE(AllowedCalls(ThreadKind::kVcpu).size(), 20u); }

// "Seccomp:\t2" for every thread, among them one that was started before the process was confined.
std::string StatusLines() {
  std::string lines;
  std::ifstream file("/proc/thread-self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Seccomp:") || line.starts_with("NoNewPrivs:")) lines += line + ";";
  }
  return lines;
}

TEST(Sandbox, ConfinesThreadsThatRunAlready) {
  const auto confine = [] {
    std::atomic<bool> confined = false;
    std::string lines;
    std::thread earlier([&] {
      while (!confined) std::this_thread::yield();
      lines = StatusLines();
    });
    const std::unique_ptr<Sandbox> sandbox = ConfinedProcess();
    confined = true;
    earlier.join();
    std::fputs((StatusLines() + lines).c_str(), stderr);
    std::fflush(stderr);
    _exit(0);
  };
  EXPECT_EXIT(confine(), testing::ExitedWithCode(0), "NoNewPrivs:\t1;Seccomp:\t2;NoNewPrivs:\t1;Seccomp:\t2;");
}

TEST(Sandbox, FilesOutsideTheOutputDirectoriesAreOutOfReach) {
  if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const auto open_both = [] {
    const std::unique_ptr<Sandbox> sandbox = ConfinedProcess();
    const int outside = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    const int outside_errno = errno;
    const int inside = open((testing::TempDir() + "/made").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const int proc = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    _exit(outside < 0 && outside_errno == EACCES && inside >= 0 && proc >= 0 ? 0 : 1);
  };
  EXPECT_EXIT(open_both(), testing::ExitedWithCode(0), "");
}

TEST(Sandbox, LogModeNamesTheCallAndTheThreadAndLetsItBe) {
  const auto call = [] {
    SetUpLog(/*verbose=*/false);
    std::unique_ptr<Sandbox> sandbox = ConfinedProcess(SandboxMode::kLog);
    std::thread([&] {
      sandbox->ConfineThread(ThreadKind::kVcpu);
      if (syscall(SYS_getppid) != getppid()) _exit(1);
    }).join();
    usleep(200'000);  // the line comes from another thread
    _exit(0);
  };
  EXPECT_EXIT(call(), testing::ExitedWithCode(0), "the vCPU thread [0-9]+ made the system call getppid");
}

TEST(Sandbox, OffLeavesTheProcessAsItIs) {
  const auto status = [] {
    const std::unique_ptr<Sandbox> sandbox = ConfinedProcess(SandboxMode::kOff);
    sandbox->ConfineThread(ThreadKind::kVcpu);
    std::fputs(StatusLines().c_str(), stderr);
    std::fflush(stderr);
    _exit(0);
  };
  EXPECT_EXIT(status(), testing::ExitedWithCode(0), "NoNewPrivs:\t0;");
}

}  // namespace
}  // namespace vmm
