// The pieces of a line: what logs put before it, the kernel's formats, names, frames.
#include <string>
#include <utility>

#include "dump/console/blame.h"
#include "dump/console/function_name.h"
#include "dump/console/line_format.h"
#include "dump/console/log_line.h"
#include "dump/console/report_draft.h"
#include "dump/console/stack_line.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;

TEST(FunctionNameTest, EachBuildsNameOfAFunctionIsTheSame) {
  for (const std::string_view name : {"f", "f.constprop.0", "f.isra.0.cold", "f.part.3", "f.cold", "f.llvm.123"}) {
    EXPECT_EQ(PlainFunctionName(name), "f");
  }
  for (const std::string_view name : {"__x64_sys_read", "__ia32_sys_read", "__se_sys_read", "__do_sys_read", "SyS_read",
                                      "SYSC_read", "__arm64_sys_read", "sys_read"}) {
    EXPECT_EQ(PlainFunctionName(name), "sys_read");
  }
  EXPECT_EQ(PlainFunctionName("__ia32_compat_sys_ioctl"), "compat_sys_ioctl");
}

TEST(LineFormatTest, PartsAreTakenFromTheLine) {
  EXPECT_THAT(MatchLine("a 12 of sh:b:97 in f+0x1/0x2 [m]", "a %d of %s:%d in %o").value(), ElementsAre("sh:b", "f"));
  EXPECT_THAT(MatchLine("x: all the rest", "x: %s").value(), ElementsAre("all the rest"));
  EXPECT_FALSE(MatchLine("a of", "a %d of").has_value());
  EXPECT_FALSE(MatchLine("in f", "in %o").has_value());
  EXPECT_THAT(MatchLine("in [<ffffffff81000000>] f.isra.0 x", "in %f").value(), ElementsAre("f.isra.0"));
}

TEST(StackLineTest, FramesOfAllKernelsAreRead) {
  for (const std::string_view line :
       {" f+0x1a/0x70", "[<ffffffff81234567>] f+0x1a/0x70", " [<0>] f+0x1a/0x70", "f+0x1a/0x70 fs/x.c:12",
        "[<c0010000>] (g) from [<c0020000>] (f+0x1a/0x70)", " f+0x1a/0x70 (P)"}) {
    const auto frame = ReadStackLine(line);
    ASSERT_TRUE(frame.has_value()) << line;
    EXPECT_EQ(frame->function, "f");
    EXPECT_EQ(frame->offset, 0x1au);
    EXPECT_EQ(frame->size, 0x70u);
  }
  EXPECT_TRUE(ReadStackLine(" ? f+0x1a/0x70 [m]")->guess);
  EXPECT_EQ(ReadStackLine(" f+0x1a/0x70 [m 0123abcd]")->module, "m");
  EXPECT_TRUE(ReadStackLine(" f fs/x.c:12 [inline]")->inlined);
  for (const std::string_view line :
       {"", "f", "f+0x1", "CPU: 0 PID: 1", " #0: x at: f+0x1/0x2", "a b+0x1/0x2", "1+0x1/0x2"}) {
    EXPECT_FALSE(ReadStackLine(line).has_value()) << line;
  }
}

TEST(StackLineTest, TheInterruptedFunctionIsRead) {
  bool again = false;
  for (const std::string_view line :
       {"RIP: 0010:f+0x1/0x2", "RIP: 0010:[<ffffffff81000000>]  [<ffffffff81000000>] f+0x1/0x2", "IP: f+0x1/0x2",
        "IP: [<ffffffff81000000>] f+0x1/0x2", "EIP: 0060:[<c0010000>] f+0x1/0x2", "EIP is at f+0x1/0x2",
        "pc : f+0x1/0x2", "PC is at f+0x1/0x2", "epc : f+0x1/0x2 ra : g+0x1/0x2", "RIP: e030:f+0x1/0x2"}) {
    ASSERT_TRUE(ReadRegisterLine(line, &again).has_value()) << line;
    EXPECT_EQ(ReadRegisterLine(line, &again)->function, "f") << line;
    EXPECT_FALSE(again) << line;
  }
  EXPECT_FALSE(ReadRegisterLine("RIP: 0033:0x7f0000000000", &again).has_value());
  EXPECT_TRUE(ReadRegisterLine("RIP  [<ffffffff81000000>] f+0x1/0x2", &again).has_value());
  EXPECT_TRUE(again);
}

TEST(LogLineTest, CallersAndSourcesAreRead) {
  EXPECT_EQ(ReadLogLine("[    1.000000][    T12] x").caller, "T12");
  EXPECT_EQ(ReadLogLine("[    1.000000] [   C0] x").caller, "C0");
  EXPECT_EQ(ReadLogLine("[   T1] x").text, "x");
  EXPECT_FALSE(ReadLogLine("x").marked);
  EXPECT_TRUE(ReadLogLine("Jan  2 03:04:05 host sshd[1]: x").foreign);
  EXPECT_EQ(ReadLogLine("Jan  2 03:04:05 host kernel: x").text, "x");
  EXPECT_EQ(ReadLogLine("[    1.000000]  f+0x1/0x2").text, " f+0x1/0x2");
  EXPECT_EQ(CleanLogLine("\x1b[1;31mred\x1b[0m\r"), "red");
  EXPECT_LE(CleanLogLine(std::string(1 << 20, 'x')).size(), kMaxLogLine);
}

ConsoleFrame Plain(std::string function) {
  ConsoleFrame frame;
  frame.function = std::move(function);
  return frame;
}

TEST(BlameTest, AStackOfHelpersAloneBlamesTheInnermostThatServesOthers) {
  const std::vector<ConsoleFrame> frames = {Plain("dump_stack"), Plain("kfree"), Plain("do_syscall_64")};
  EXPECT_EQ(BlamedFrame(TroubleKind::kOops, frames), 1u);
}

TEST(BlameTest, AStallBlamesTheWorkAndNotTheFunctionAtTheTick) {
  std::vector<ConsoleFrame> frames = {Plain("update_process_times"),
                                      Plain("asm_sysvec_apic_timer_interrupt"),
                                      Plain("inner"),
                                      Plain("outer"),
                                      Plain("__x64_sys_read"),
                                      Plain("do_syscall_64")};
  frames[2].interrupted = true;
  EXPECT_EQ(BlamedFrame(TroubleKind::kSoftLockup, frames), 4u);
  EXPECT_EQ(BlamedFrame(TroubleKind::kOops, frames), 2u);
  frames[3].module = "driver";
  EXPECT_EQ(BlamedFrame(TroubleKind::kSoftLockup, frames), 3u);
}

TEST(TitleTest, NumbersAndAddressesAreLeftOut) {
  EXPECT_EQ(WithoutAddresses("at ffff888012345678 and 0x12 after 123456, f+0x1/0x2!"),
            "at ADDR and ADDR after NUM, f!");
  EXPECT_EQ(TroubleSignature("panic 12", {"f"}), TroubleSignature("panic 13", {"f"}));
  EXPECT_NE(TroubleSignature("panic", {"f"}), TroubleSignature("panic", {"g"}));
}

}  // namespace
}  // namespace vmm
