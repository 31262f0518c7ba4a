#include "vmm/outcome/child_answer.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
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
  const auto answer = Ask([]() -> std::string {
    raise(SIGKILL);
    return "";
  });
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("signal 9"));
}

TEST(AskChildTest, WorkWithoutEndIsEnded) {
  const auto forever = []() -> std::string {
    for (std::atomic<int> steps = 0;; ++steps) {
    }
  };
  const auto busy = Ask(forever, {.cpu_seconds = 1, .wait = absl::Seconds(60)});
  EXPECT_EQ(busy.status().message(), "it took more than 1 s of CPU time");
  const auto late = Ask(
      []() -> std::string {
        pause();
        return "";
      },
      {.wait = absl::Milliseconds(100)});
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(AskChildTest, AStopSignalEndsItAtOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  const absl::Time start = absl::Now();
  const auto answer = Ask(
      []() -> std::string {
        pause();
        return "";
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
