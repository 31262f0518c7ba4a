#include "base/log.h"

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

}  // namespace
}  // namespace vmm
