// The library, with real guests: what a harness that embeds it relies on.
#include "vmm/lib/libvmm.h"

#include <fcntl.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "vmm/lib/testing/vm_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_A_SANITIZER 1
#endif

namespace libvmm {
namespace {

std::string Guest(const std::string& name) { return "guest-tests/" + name + ".elf"; }

size_t CountOf(const char* folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

// Descriptors and threads of this process. A thread that was joined may be in /proc for a moment longer.
struct Holdings {
  size_t descriptors = CountOf("/proc/self/fd");
  size_t threads = CountOf("/proc/self/task");
};

void ExpectNoMoreThan(const Holdings& before) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  Holdings now;
  while (now.threads > before.threads && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    now = Holdings();
  }
  EXPECT_EQ(now.descriptors, before.descriptors);
  EXPECT_EQ(now.threads, before.threads);
}

[[maybe_unused]] size_t ResidentKib() {
  size_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * 4;
}

// Waits until `count` guests have said a word.
class Meeting {
 public:
  void Arrive() {
    const std::lock_guard lock(mutex_);
    ++arrived_;
    news_.notify_all();
  }
  bool WaitFor(int count) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, std::chrono::seconds(60), [&] { return arrived_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  int arrived_ = 0;
};

class LibvmmTest : public VmTest {
 protected:
  void SetUp() override {
    VmTest::SetUp();
    config.memory_mib = 64;
  }

  // A guest that spins for good. `said`: once it has begun to.
  Config Spinning(std::function<void()> said) const {
    Config spinning = config;
    spinning.kernel = Guest("spin");
    spinning.on_console = [said = std::move(said), text = std::string()](std::string_view bytes) mutable {
      const bool before = text.find("# spinning") != text.npos;
      text += bytes;
      if (!before && text.find("# spinning") != text.npos) said();
    };
    return spinning;
  }
};

TEST_F(LibvmmTest, AGuestsEndAndConsoleComeBack) {
  config.kernel = Guest("hello");
  std::string heard;
  config.on_console = [&](std::string_view bytes) { heard += bytes; };
  const absl::StatusOr<RunOutcome> run = Run();
  ASSERT_GUEST_EXIT(run, 0u);
  EXPECT_EQ(run->outcome, "guest-exit");
  EXPECT_EQ(run->exit_code, 0);
  EXPECT_NE(run->console.bytes.find("hello on the serial port"), std::string::npos) << Describe(run);
  EXPECT_EQ(run->console.bytes, heard);
  EXPECT_EQ(run->dump_path, "");
  EXPECT_NE(run->record.find("\"outcome\": \"guest-exit\""), std::string::npos) << run->record;
}

TEST_F(LibvmmTest, AStatusIsTheGuestsOwn) {
  config.kernel = Guest("exit_status");
  config.command_line = "status=77";
  EXPECT_GUEST_EXIT(Run(), 77u);
}

TEST_F(LibvmmTest, APanicLeavesADumpAndItsWords) {
  config.kernel = Guest("panic_words");
  config.command_line = "then=pvpanic";
  const absl::StatusOr<RunOutcome> run = Run();
  ASSERT_PANICS_WITH(run, "only words");
  EXPECT_EQ(run->exit_code, 120);
  EXPECT_FALSE(run->status.has_value());
  EXPECT_EQ(run->dump_path, config.dump_dir + "/vmcore");
  EXPECT_TRUE(std::filesystem::exists(run->dump_path));
  EXPECT_NE(run->signature, "");
}

TEST_F(LibvmmTest, WithoutAFolderThereIsNoDump) {
  config.kernel = Guest("pvpanic");
  config.command_line = "write=1";
  const std::string folder = std::exchange(config.dump_dir, "");
  const absl::StatusOr<RunOutcome> run = Run();
  config.dump_dir = folder;
  ASSERT_PANICS_WITH(run, "");
  EXPECT_EQ(run->dump_path, "");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(LibvmmTest, ResultsOfTestsInTheGuestComeBack) {
  config.kernel = Guest("pio_widths");
  const absl::StatusOr<RunOutcome> run = Run();
  ASSERT_GUEST_EXIT(run, 0u);
  ASSERT_FALSE(run->subtests.empty()) << Describe(run);
  EXPECT_EQ(run->subtests[0].verdict, "ok");
  EXPECT_FALSE(run->subtests[0].failed);
  EXPECT_NE(run->junit.find("<testcase"), std::string::npos) << run->junit;
}

TEST_F(LibvmmTest, InputReachesTheConsole) {
  config.kernel = Guest("serial_echo");
  config.command_line = "bytes=9";
  config.input = "to guest\n";
  const absl::StatusOr<RunOutcome> run = Run();
  ASSERT_GUEST_EXIT(run, 0u);
  EXPECT_NE(run->console.bytes.find("TO GUEST"), std::string::npos) << Describe(run);
}

TEST_F(LibvmmTest, ATimeOutIsAnOutcome) {
  config.timeout = absl::Milliseconds(300);
  config.kernel = Guest("spin");
  const absl::StatusOr<RunOutcome> run = Run();
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->outcome, "timeout");
  EXPECT_EQ(run->exit_code, 124);
}

TEST_F(LibvmmTest, AFloodIsKeptUpToTheLimit) {
  config.kernel = Guest("hello");
  config.keep_bytes = 5;
  const absl::StatusOr<RunOutcome> run = Run();
  ASSERT_GUEST_EXIT(run, 0u);
  EXPECT_EQ(run->console.bytes.size(), 5u);
  EXPECT_GT(run->console.dropped, 5u);
}

// Both say a word before either may end, so they really run at once.
TEST_F(LibvmmTest, TwoGuestsRunAtOnceInOneProcess) {
  Meeting meeting;
  std::array<std::unique_ptr<Vm>, 2> vms;
  std::array<absl::StatusOr<RunOutcome>, 2> runs;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 2; ++i) {
    vms[i] = *Vm::Create(Spinning([&] { meeting.Arrive(); }));
    threads.emplace_back([&, i] { runs[i] = vms[i]->Run(); });
  }
  EXPECT_TRUE(meeting.WaitFor(2));
  for (const auto& vm : vms) vm->Cancel();
  for (std::thread& thread : threads) thread.join();
  for (const auto& run : runs) {
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->outcome, "interrupted") << Describe(run);
  }
}

TEST_F(LibvmmTest, TwoThatPanicAtOnceLeaveADumpEach) {
  config.kernel = Guest("panic_words");
  config.command_line = "then=pvpanic";
  std::array<absl::StatusOr<RunOutcome>, 2> runs;
  std::vector<std::thread> threads;
  for (auto& run : runs) threads.emplace_back([&] { run = Run(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& run : runs) ASSERT_PANICS_WITH(run, "only words");
  EXPECT_NE(runs[0]->dump_path, runs[1]->dump_path);
  for (const auto& run : runs) EXPECT_TRUE(std::filesystem::exists(run->dump_path)) << run->dump_path;
}

TEST_F(LibvmmTest, ManyRunsLeaveNothingBehind) {
  config.kernel = Guest("hello");
  for (int i = 0; i < 5; ++i) ASSERT_GUEST_EXIT(Run(), 0u);
  const Holdings before;
  [[maybe_unused]] const size_t resident = ResidentKib();
  for (int i = 0; i < 200; ++i) ASSERT_GUEST_EXIT(Run(), 0u) << "run " << i;
  ExpectNoMoreThan(before);
#ifndef UNDER_A_SANITIZER  // whose own memory grows; a leak is AddressSanitizer's to tell
  EXPECT_LT(ResidentKib(), resident + 4096);
#endif
}

TEST_F(LibvmmTest, BadEndsLeaveNothingBehindEither) {
  config.kernel = Guest("panic_words");
  config.command_line = "then=pvpanic";
  ASSERT_PANICS_WITH(Run(), "only words");
  const Holdings before;
  for (int i = 0; i < 10; ++i) ASSERT_PANICS_WITH(Run(), "only words");
  ExpectNoMoreThan(before);
}

TEST_F(LibvmmTest, AnotherThreadCancels) {
  std::unique_ptr<Vm> vm;
  std::thread canceller;
  const Holdings before;
  vm = *Vm::Create(Spinning([&] { canceller = std::thread([&] { vm->Cancel(); }); }));
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<RunOutcome> run = vm->Run();
  canceller.join();
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->outcome, "interrupted");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30)) << "not by the time-out";
  vm.reset();
  ExpectNoMoreThan(before);
}

TEST_F(LibvmmTest, ACancelBeforeTheRunCounts) {
  const std::unique_ptr<Vm> vm = *Vm::Create(Spinning([] {}));
  vm->Cancel();
  const absl::StatusOr<RunOutcome> run = vm->Run();
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->outcome, "interrupted");
}

TEST_F(LibvmmTest, WhatCannotRunIsAnError) {
  config.kernel = "guest-tests/no-such-file";
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kNotFound) << Run().status();
  config.kernel = "guest-tests/not_a_kernel.txt";
  EXPECT_NE(std::string(Run().status().message()).find("not_a_kernel.txt"), std::string::npos) << Run().status();
  config.cpus = 0;
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LibvmmTest, MessagesGoToTheirListener) {
  std::string messages;
  config.kernel = Guest("pvpanic");
  config.command_line = "write=1";
  config.dump_dir += "/none";
  config.on_message = [&](std::string_view message) { messages += message; };
  EXPECT_PANICS_WITH(Run(), "");
  EXPECT_NE(messages.find("dumps are unavailable"), std::string::npos) << messages;
}

TEST_F(LibvmmTest, AVmHasOneRun) {
  config.kernel = Guest("hello");
  const std::unique_ptr<Vm> vm = *Vm::Create(config);
  ASSERT_GUEST_EXIT(vm->Run(), 0u);
  EXPECT_EQ(vm->Run().status().code(), absl::StatusCode::kFailedPrecondition);
}

std::atomic<int> signals_taken = 0;
void CountSignal(int) { ++signals_taken; }

// The state of this process that is the caller's.
struct CallersOwn {
  std::array<struct sigaction, 65> actions = {};
  sigset_t mask = {};
  std::string folder = std::filesystem::current_path();
  std::string environment;
  std::array<int, 3> stdio_flags = {};
  mode_t mask_of_files;

  CallersOwn() {
    for (int signal = 1; signal < 65; ++signal) sigaction(signal, nullptr, &actions[static_cast<size_t>(signal)]);
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (char** variable = environ; *variable != nullptr; ++variable) environment += std::string(*variable) + '\n';
    for (int fd = 0; fd < 3; ++fd) stdio_flags[static_cast<size_t>(fd)] = fcntl(fd, F_GETFL);
    mask_of_files = umask(022);
    umask(mask_of_files);
  }
};

void ExpectEqual(const CallersOwn& a, const CallersOwn& b) {
  for (int signal = 1; signal < 65; ++signal) {
    const size_t i = static_cast<size_t>(signal);
    if (signal == SIGRTMIN) continue;  // libvmm.h says so
    EXPECT_EQ(a.actions[i].sa_handler, b.actions[i].sa_handler) << "signal " << signal;
    EXPECT_EQ(sigismember(&a.mask, signal), sigismember(&b.mask, signal)) << "signal " << signal;
  }
  EXPECT_EQ(a.folder, b.folder);
  EXPECT_EQ(a.environment, b.environment);
  EXPECT_EQ(a.stdio_flags, b.stdio_flags);
  EXPECT_EQ(a.mask_of_files, b.mask_of_files);
}

TEST_F(LibvmmTest, TheProcessStaysTheCallers) {
  struct sigaction mine = {}, before_int = {}, before_pipe = {};
  mine.sa_handler = CountSignal;
  sigaction(SIGINT, &mine, &before_int);
  sigaction(SIGPIPE, &mine, &before_pipe);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();

  const CallersOwn before;
  std::unique_ptr<Vm> vm;
  std::thread looker;
  Config spinning = Spinning([&] {
    looker = std::thread([&] {
      CallersOwn during;
      during.mask = before.mask;  // a thread of the run started this one, which has its mask
      ExpectEqual(before, during);
      kill(getpid(), SIGINT);  // to the process, as Ctrl-C on its terminal; the run goes on
      vm->Cancel();
    });
  });
  vm = *Vm::Create(std::move(spinning));
  const absl::StatusOr<RunOutcome> run = vm->Run();
  looker.join();
  config.kernel = Guest("panic_words");
  config.command_line = "then=pvpanic";
  const absl::StatusOr<RunOutcome> panic = Run();
  const CallersOwn after;

  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  ExpectEqual(before, after);
  sigaction(SIGINT, &before_int, nullptr);
  sigaction(SIGPIPE, &before_pipe, nullptr);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->outcome, "interrupted");
  EXPECT_EQ(signals_taken, 1);
  EXPECT_PANICS_WITH(panic, "only words");
}

TEST_F(LibvmmTest, ExpectationsFailWithTheWholeStory) {
  static absl::StatusOr<RunOutcome> run;  // the macros below see no locals
  config.kernel = Guest("exit_status");
  config.command_line = "status=3";
  run = Run();
  EXPECT_NONFATAL_FAILURE(EXPECT_GUEST_EXIT(run, 4u), "run should end with status 4u, but: guest exit, status 3");
  EXPECT_NONFATAL_FAILURE(EXPECT_PANICS_WITH(run, "oh"), "run should panic with \"oh\", but: guest exit, status 3");
  run = absl::NotFoundError("gone");
  EXPECT_NONFATAL_FAILURE(EXPECT_GUEST_EXIT(run, 0u), "there was no run: NOT_FOUND: gone");
}

}  // namespace
}  // namespace libvmm
