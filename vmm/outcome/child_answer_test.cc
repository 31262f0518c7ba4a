#include "vmm/outcome/child_answer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<std::string> Ask(const std::function<std::string()>& work, ChildLimits limits = {}, int stop_fd = -1) {
  return AskChild(work, limits, stop_fd);
}

TEST(AskChildTest, TheAnswerComesWholeAndWhatTheChildChangesStaysThere) {
  std::string here = "before";
  const auto answer = Ask([&] {
    here = "after";
    return std::string(1 << 20, 'x');
  });
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->size(), 1u << 20);
  EXPECT_EQ(here, "before");
}

TEST(AskChildTest, AChildThatDiesIsOnlyAnError) {
  const auto sanitizers = std::signal(SIGSEGV, SIG_DFL);  // which would exit instead
  const auto answer = Ask([]() -> std::string {
    *static_cast<volatile int*>(nullptr) = 0;
    return "";
  });
  std::signal(SIGSEGV, sanitizers);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("signal 11"));
}

TEST(AskChildTest, WorkWithoutEndIsEnded) {
  const auto forever = []() -> std::string {
    for (std::atomic<int> steps = 0;; ++steps) {
    }
  };
  const auto busy = Ask(forever, {.cpu_seconds = 1, .wait = absl::Seconds(60)});
  EXPECT_EQ(busy.status().message(), "it took more than 1 s of CPU time");
  const auto late = Ask(forever, {.wait = absl::Milliseconds(100)});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(AskChildTest, AStopSignalEndsItAtOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  const absl::Time start = absl::Now();
  const auto answer = Ask(
      []() -> std::string {
        for (std::atomic<int> steps = 0;; ++steps) {
        }
      },
      {}, ends[0]);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kCancelled);
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
  close(ends[0]), close(ends[1]);
}

TEST(AskChildTest, AnAnswerThatIsTooLongIsNone) {
  const auto answer = Ask([] { return std::string(5000, 'x'); }, {.answer = 4096});
  EXPECT_EQ(answer.status().message(), "its answer has more than 4096 bytes");
}

// A build with a sanitizer has no filter.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(AskChildTest, ASystemCallThatIsForbiddenIsTheEndOfTheChildAlone) {
  for (const long call : {SYS_openat, SYS_socket, SYS_kill, SYS_fork, SYS_execve, SYS_ptrace, SYS_process_vm_writev}) {
    const auto answer = Ask([&] { return std::to_string(syscall(call, 0, 0, 0, 0, 0, 0)); });
    EXPECT_EQ(answer.status().message(), "it made a system call that is forbidden to it") << call;
  }
}

TEST(AskChildTest, TheChildHasNoDescriptorButItsInputsAndThatOfItsAnswer) {
  const int input = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int other = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const auto work = [&] {
    std::string open_ones;
    char byte = 0;
    for (int fd = 0; fd < 1000; ++fd) {
      if (pread(fd, &byte, 1, 0) >= 0 || errno != EBADF) open_ones += std::to_string(fd) + " ";
    }
    return open_ones;
  };
  const auto answer = AskChild(work, {}, -1, {.inputs = {input}});
  close(input), close(other);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(*answer, testing::StartsWith(std::to_string(input) + " "));
  EXPECT_EQ(std::count(answer->begin(), answer->end(), ' '), 2) << *answer << "the other is that of the answer";
}

// What is made read-only must stay so: RAM is shared with the parent.
TEST(AskChildTest, PreparationMayProtectMemoryAndWorkMayNotUnprotectIt) {
  void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const auto answer = AskChild([&] { return std::to_string(mprotect(page, 4096, PROT_READ | PROT_WRITE)); }, {}, -1,
                               {.prepare = [&] { mprotect(page, 4096, PROT_READ); }});
  EXPECT_EQ(answer.value_or("none"), "-1");
  munmap(page, 4096);
}
#endif

// A sanitizer's allocator ends the process where the usual one throws.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(AskChildTest, MemoryHasALimitAndItsEndIsNotOurs) {
  const auto answer = Ask(
      [] {
        std::vector<std::string> all;
        while (all.size() < 1024) all.emplace_back(1 << 20, 'x');
        return all.back();
      },
      {.memory = 64 << 20});
  EXPECT_EQ(answer.status().message(), "it wanted more than 64 MiB of memory");
}
#endif

}  // namespace
}  // namespace vmm
