#include "dump/kernel/death_title.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

LogRecord Record(std::string text, std::optional<uint32_t> caller = std::nullopt, uint8_t facility = 0) {
  LogRecord record;
  record.text = std::move(text);
  record.caller = caller;
  record.facility = facility;
  return record;
}

const std::vector<LogRecord> kOops = {
    Record("BUG: kernel NULL pointer dereference, address: 0000000000000010"),
    Record("Oops: 0000 [#1] SMP"),
    Record("RIP: 0010:faulty+0x12/0x40 [bad]"),
    Record("Call Trace:\n <TASK>\n caller+0x1/0x20 [bad]\n do_syscall_64+0x1/0x20"),
    Record("Kernel panic - not syncing: Fatal exception"),
};

TEST(DeathTitleTest, TheLogHasTitleAndFunction) {
  const auto found = FindDeathTitle(kOops, {});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->title, "BUG: unable to handle kernel NULL pointer dereference in faulty");
  EXPECT_EQ(found->function, "faulty");
  EXPECT_EQ(found->panic, "Fatal exception");
}

TEST(DeathTitleTest, WhereTheLogNamesNoFunctionTheStackDoes) {
  const std::vector<LogRecord> log = {kOops[0]};
  const std::vector<DeathFrame> stack = {{"page_fault_oops", 1, 2, "", false},
                                         {"asm_exc_page_fault", 1, 2, "", false},
                                         {"faulty.isra.0", 0x22, 0x50, "bad", true},
                                         {"caller", 1, 0, "bad", false}};
  const auto found = FindDeathTitle(log, stack);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->title, "BUG: unable to handle kernel NULL pointer dereference in faulty");
  EXPECT_EQ(found->signature, FindDeathTitle(kOops, {})->signature) << "the same death, whenever it was dumped";
}

TEST(DeathTitleTest, APanicsSignatureIsOfWhatFollowsPanicInTheStack) {
  const std::vector<LogRecord> log = {Record("Kernel panic - not syncing: sysrq triggered crash")};
  const std::vector<DeathFrame> stack = {{"pvpanic_panic_notify", 1, 2, "pvpanic", false},
                                         {"panic", 1, 2, "", false},
                                         {"sysrq_handle_crash", 1, 2, "", false}};
  const std::vector<DeathFrame> later = {
      {"stop_here", 1, 2, "", false}, {"panic", 5, 9, "", false}, {"sysrq_handle_crash", 3, 4, "", false}};
  EXPECT_EQ(FindDeathTitle(log, stack)->title, "kernel panic: sysrq triggered crash");
  EXPECT_EQ(FindDeathTitle(log, stack)->signature, FindDeathTitle(log, later)->signature);
  EXPECT_NE(FindDeathTitle(log, stack)->signature, FindDeathTitle(log, {})->signature);
}

TEST(DeathTitleTest, TheReportThatEndedInAPanicCountsBeforeAnEarlierOne) {
  std::vector<LogRecord> log = {Record("------------[ cut here ]------------"),
                                Record("WARNING: CPU: 0 PID: 1 at fs/x.c:1 harmless+0x1/0x20"),
                                Record("---[ end trace 0000000000000000 ]---")};
  log.insert(log.end(), kOops.begin(), kOops.end());
  EXPECT_EQ(FindDeathTitle(log, {})->function, "faulty");
  log.pop_back();
  EXPECT_EQ(FindDeathTitle(log, {})->function, "faulty") << "an oops is more than a warning";
}

TEST(DeathTitleTest, LinesOfTwoCallersAndOfProgramsDoNotMix) {
  constexpr uint32_t kCpu1 = 0x80000001;
  const std::vector<LogRecord> log = {Record("kernel BUG at fs/x.c:1!", 12),
                                      Record("watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:1]", kCpu1),
                                      Record("RIP: 0010:mine+0x1/0x20 [m]", 12),
                                      Record("RIP: 0010:other+0x1/0x20 [n]", kCpu1),
                                      Record("Kernel panic - not syncing: from a program", 12, 1),
                                      Record("Kernel panic - not syncing: Fatal exception", 12)};
  EXPECT_EQ(FindDeathTitle(log, {})->title, "kernel BUG in mine");
}

TEST(DeathTitleTest, AQuietLogHasNone) {
  EXPECT_FALSE(FindDeathTitle(std::vector<LogRecord>{Record("all is well")}, {}).has_value());
}

}  // namespace
}  // namespace vmm
