#include "base/log.h"

#include <string>
#include <thread>
#include <vector>

#include "base/thread_log.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(LogTest, TextOfAGuestIsNoCommandToATerminal) {
  EXPECT_EQ(LogText("panic: \x1b[2J\r\u202e\x9b"), "panic: \\x1b[2J\\x0d\\xe2\\x80\\xae\\x9b");
  EXPECT_EQ(LogText("Grüße\tan alle"), "Grüße\tan alle");
}

TEST(LogTest, ALineOfAGuestDoesNotPassForOneOfOurs) {
  EXPECT_EQ(LogText("message\nvmm: power-off"), "message\n  vmm: power-off");
  EXPECT_EQ(LogText("one\n  two\n"), "one\n  two\n");
}

TEST(LogTest, AThreadWithItsOwnReaderWritesNothingToStderr) {
  std::vector<std::string> lines;
  const LogFunction keep = [&](LogLevel, std::string_view text) { lines.emplace_back(text); };
  SetUpLog(/*verbose=*/true);
  testing::internal::CaptureStderr();
  SendThreadLogTo(&keep);
  EXPECT_FALSE(LogsToStderr());
  LogWarning("mine\x1b");
  std::thread([] { EXPECT_TRUE(LogsToStderr()); }).join();
  SendThreadLogTo(nullptr);
  EXPECT_TRUE(LogsToStderr());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(lines, std::vector<std::string>{"mine\\x1b"});
}

}  // namespace
}  // namespace vmm
