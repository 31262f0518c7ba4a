#include "dump/kernel/panic_message.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

std::vector<LogRecord> Log(const std::vector<std::string>& lines) {
  std::vector<LogRecord> log;
  for (const std::string& line : lines) log.push_back({.text = line});
  return log;
}

TEST(PanicMessageTest, ThePanicAndTheTroubleBeforeItAreFound) {
  const PanicMessage message =
      FindPanicMessage(Log({"Linux version 6.1", "BUG: kernel NULL pointer dereference, address: 0000000000000010",
                            "Oops: 0002 [#1] PREEMPT SMP", "Kernel panic - not syncing: Fatal exception\nmore",
                            "---[ end Kernel panic - not syncing: Fatal exception ]---"}));
  EXPECT_EQ(message.panic, "Fatal exception");
  EXPECT_EQ(message.trouble, "BUG: kernel NULL pointer dereference, address: 0000000000000010");
}

TEST(PanicMessageTest, AWarningIsTheTroubleOfAPanicOnWarn) {
  const PanicMessage message = FindPanicMessage(
      Log({"------------[ cut here ]------------", "WARNING: CPU: 0 PID: 0 at kernel/x.c:1 f+0x1/0x2",
           "Kernel panic - not syncing: kernel: panic_on_warn set ...", "WARNING: CPU: 0 PID: 0 at kernel/y.c:2 g"}));
  EXPECT_EQ(message.panic, "kernel: panic_on_warn set ...");
  EXPECT_EQ(message.trouble, "WARNING: CPU: 0 PID: 0 at kernel/x.c:1 f+0x1/0x2");
}

TEST(PanicMessageTest, AnOopsCountsMoreThanAnEarlierWarning) {
  EXPECT_EQ(FindPanicMessage(Log({"WARNING: CPU: 0 PID: 0 at kernel/x.c:1", "Oops: 0002 [#1] SMP"})).trouble,
            "Oops: 0002 [#1] SMP");
}

TEST(PanicMessageTest, WhatAProgramWritesIntoTheLogIsNoTroubleOfTheKernels) {
  std::vector<LogRecord> log = Log({"BUG: not mine", "Kernel panic - not syncing: not mine"});
  for (LogRecord& record : log) record.facility = 1;
  EXPECT_TRUE(FindPanicMessage(log).empty());
}

TEST(PanicMessageTest, AQuietLogHasNone) {
  EXPECT_TRUE(FindPanicMessage(Log({"Linux version 6.1", "all is well"})).empty());
}

TEST(PanicMessageTest, WhatIsNotPrintableIsNotPrinted) {
  EXPECT_EQ(FindPanicMessage(Log({"Kernel panic - not syncing: \x1b[2J"})).panic, "?[2J");
}

TEST(TaintTest, TheLettersAreTheKernels) {
  EXPECT_EQ(TaintLetters(0), "");
  EXPECT_EQ(TaintLetters(1 << 9), "GW");
  EXPECT_EQ(TaintLetters(1 | 1 << 12), "PO");
}

class SignatureTest : public ::testing::Test {
 protected:
  const std::vector<SignatureFrame> frames_ = {
      {"pvpanic_panic_notify"}, {"panic"}, {"sysrq_handle_crash"}, {"__handle_sysrq.cold"}, {"vfs_write"}};
};

TEST_F(SignatureTest, NumbersSuffixesAndTheWayToThePanicDoNotCount) {
  const std::string one = CrashSignature({"bad page at 0xffff8881", "BUG: at 12"}, frames_);
  EXPECT_EQ(one.size(), 16u);
  std::vector<SignatureFrame> others = frames_;
  others[0].function = "delay_tsc";
  others[3].function = "__handle_sysrq";
  EXPECT_EQ(CrashSignature({"bad page at 0xffff9992", "BUG: at 7"}, others), one);
}

TEST_F(SignatureTest, AnotherMessageOrAnotherPlaceIsAnotherDeath) {
  const std::string one = CrashSignature({"bad page", ""}, frames_);
  EXPECT_NE(CrashSignature({"bad egg", ""}, frames_), one);
  EXPECT_NE(CrashSignature({"", "bad page"}, frames_), one);
  std::vector<SignatureFrame> others = frames_;
  others[4].function = "vfs_read";
  EXPECT_NE(CrashSignature({"bad page", ""}, others), one);
}

TEST_F(SignatureTest, OfAFaultItIsThePlaceOfTheFaultThatCounts) {
  const std::vector<SignatureFrame> by_one_way = {{"panic"}, {"oops_end"}, {"asm_exc_page_fault"}, {"broken", true}};
  const std::vector<SignatureFrame> by_another = {{"panic"}, {"die"}, {"asm_exc_general"}, {"broken", true}};
  EXPECT_EQ(CrashSignature({}, by_one_way), CrashSignature({}, by_another));
}

}  // namespace
}  // namespace vmm
