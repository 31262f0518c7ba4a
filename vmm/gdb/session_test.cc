#include "vmm/gdb/session.h"

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/gdb/hex.h"
#include "vmm/gdb/testing/fake_debug_guest.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Kind = HardwareBreak::Kind;
using Reason = DebugStop::Reason;

class GdbSessionTest : public testing::Test {
 protected:
  GdbSessionTest() : session_(guest_, "the kernel's words\n") {
    Send("QStartNoAckMode");
    Said();
  }

  void Send(std::string_view packet) { session_.Receive(FrameGdbPacket(packet)); }

  // All packets that came since, one after the other with a space between.
  std::string Said() {
    std::string text;
    GdbPacketReader reader;
    for (const GdbItem& item : reader.Add(session_.output())) text += (text.empty() ? "" : " ") + item.text;
    session_.output().clear();
    return text;
  }

  std::string Ask(std::string_view packet) {
    Send(packet);
    return Said();
  }

  void Stop(DebugStop stop) {
    guest_.stop = stop;
    session_.LookForStop();
  }

  FakeDebugGuest guest_;
  GdbSession session_;
};

TEST_F(GdbSessionTest, AttachingStopsTheGuestAndSaysSo) {
  EXPECT_EQ(guest_.guest.state(), GuestState::kPaused);
  EXPECT_EQ(Ask("?"), "T05thread:1;");
}

TEST(GdbSessionStartTest, PacketsAreAcknowledgedUntilGdbWantsThatNoMore) {
  FakeDebugGuest guest;
  GdbSession session(guest, "");
  session.Receive("$?#3f");
  EXPECT_EQ(session.output(), "+$T05thread:1;#d7");
  session.output().clear();
  session.Receive("-");
  EXPECT_EQ(session.output(), "$T05thread:1;#d7") << "it got lost";
  session.output().clear();
  session.Receive("$?#00");
  EXPECT_EQ(session.output(), "-");
  session.output().clear();
  session.Receive(FrameGdbPacket("QStartNoAckMode") + FrameGdbPacket("?"));
  EXPECT_EQ(session.output(), "+$OK#9a$T05thread:1;#d7");
}

TEST_F(GdbSessionTest, TheFeaturesAreOffered) {
  const std::string features = Ask("qSupported:multiprocess+;swbreak+;xmlRegisters=i386");
  for (const char* one : {"PacketSize=4000", "qXfer:features:read+", "vContSupported+", "swbreak+", "hwbreak+"}) {
    EXPECT_THAT(features, HasSubstr(one));
  }
  EXPECT_EQ(Ask("vCont?"), "vCont;c;C;s;S");
  EXPECT_EQ(Ask("vMustReplyEmpty"), "");
  EXPECT_EQ(Ask("qOffsets"), "") << "a guess would place .text alone";
}

TEST_F(GdbSessionTest, TheDescriptionComesInPieces) {
  std::string xml;
  for (;;) {
    const std::string piece = Ask(absl::StrFormat("qXfer:features:read:target.xml:%x,400", xml.size()));
    ASSERT_THAT(piece, testing::AnyOf(StartsWith("m"), StartsWith("l")));
    xml += piece.substr(1);
    if (piece[0] == 'l') break;
    ASSERT_EQ(piece.size(), 0x401u);
  }
  EXPECT_EQ(xml, GdbTargetXml());
  EXPECT_EQ(Ask("qXfer:features:read:target.xml:ffffff,10"), "E01");
}

TEST_F(GdbSessionTest, VcpusAreThreads) {
  EXPECT_EQ(Ask("qfThreadInfo"), "m1,2");
  EXPECT_EQ(Ask("qsThreadInfo"), "l");
  EXPECT_EQ(Ask("T2"), "OK");
  EXPECT_EQ(Ask("T3"), "E01");
  guest_.cpus[1].cpu.halted = true;
  EXPECT_EQ(Ask("qThreadExtraInfo,2"), ToHex("CPU#1 [halted]"));
  EXPECT_EQ(Ask("Hg2"), "OK");
  EXPECT_EQ(Ask("qC"), "QC2");
  EXPECT_EQ(Ask("Hgp1.1"), "OK");
  EXPECT_EQ(Ask("qC"), "QC1");
  EXPECT_EQ(Ask("Hg9"), "E01");
}

TEST_F(GdbSessionTest, RegistersAreThoseOfTheSelectedVcpu) {
  guest_.cpus[1].cpu.rip = 0x8765;
  EXPECT_EQ(Ask("g").size(), 2 * kGdbRegisterBytes);
  EXPECT_EQ(Ask("p10"), "0000000000000000");
  Ask("Hg2");
  EXPECT_EQ(Ask("p10"), "6587000000000000");
  EXPECT_EQ(Ask("P10=0011000000000000"), "OK");
  EXPECT_EQ(guest_.cpus[1].cpu.rip, 0x1100u);
  EXPECT_EQ(Ask("P10=00"), "E01");
  EXPECT_EQ(Ask("p99"), "E01");
  std::string all = Ask("g");
  all[0] = 'f';
  EXPECT_EQ(Ask("G" + all), "OK");
  EXPECT_EQ(guest_.cpus[1].cpu.rax, 0xf0u);
  EXPECT_THAT(guest_.asked, ElementsAre("write 1", "write 1 fpu"));
}

TEST_F(GdbSessionTest, MemoryIsReadAndWritten) {
  EXPECT_EQ(Ask("M1000,3:010203"), "OK");
  EXPECT_EQ(Ask("m1000,4"), "01020300");
  EXPECT_EQ(Ask(std::string("X1001,2:#\0", 10)), "OK");
  EXPECT_EQ(Ask("m1000,4"), "01230000");
  EXPECT_EQ(Ask("X1000,0:"), "OK") << "gdb's probe";
  EXPECT_EQ(Ask("mfffff,10"), "00") << "as far as there is RAM";
  EXPECT_EQ(Ask("m200000,1"), "E01");
  EXPECT_EQ(Ask("M1000,4:0102"), "E01");
  EXPECT_EQ(Ask("m1000,ffffffffffffffff").size() / 2, GdbPacketReader::kMaxPacket / 2 - 16) << "what a packet can hold";
}

TEST_F(GdbSessionTest, TheGuestGoesAndItsBreakpointIsTheAnswer) {
  EXPECT_EQ(Ask("Z0,1000,1"), "OK");
  EXPECT_THAT(guest_.planted, ElementsAre(GuestAddr{0x1000}));
  EXPECT_EQ(Ask("vCont;c:p1.-1"), "");
  EXPECT_EQ(guest_.guest.state(), GuestState::kRunning);
  Stop({.reason = Reason::kSoftware, .vcpu = 1, .address = 0x1000});
  EXPECT_EQ(Said(), "T05swbreak:;thread:2;");
  EXPECT_EQ(guest_.guest.state(), GuestState::kPaused);
  EXPECT_EQ(Ask("z0,1000,1"), "OK");
  EXPECT_THAT(guest_.planted, IsEmpty());
  EXPECT_EQ(Ask("vCont;s:2"), "");
  Stop({.reason = Reason::kStep, .vcpu = 1});
  EXPECT_EQ(Said(), "T05thread:2;");
  EXPECT_EQ(Ask("vCont;s:2;c"), "");
  EXPECT_THAT(guest_.asked, ElementsAre("go", "go only 1 step 1", "go step 1"));
}

TEST_F(GdbSessionTest, ABadContinueLetsNothingGo) {
  for (const char* bad : {"vCont;", "vCont;x", "vCont;c:7", "vCont;c:zz"}) EXPECT_EQ(Ask(bad), "E01") << bad;
  EXPECT_THAT(guest_.asked, IsEmpty());
}

TEST_F(GdbSessionTest, CtrlCStopsAGuestThatGoes) {
  session_.Receive("\x03");
  EXPECT_EQ(Said(), "") << "it stands still already";
  Ask("vCont;c");
  session_.Receive("\x03");
  EXPECT_EQ(Said(), "T02thread:1;");
  EXPECT_EQ(guest_.guest.state(), GuestState::kPaused);
}

TEST_F(GdbSessionTest, TheMonitorsStopIsTold) {
  Ask("vCont;c");
  ASSERT_TRUE(guest_.guest.Pause().ok());
  session_.GuestStopped();
  EXPECT_EQ(Said(), "T02thread:1;");
  session_.GuestStopped();
  EXPECT_EQ(Said(), "") << "once";
}

TEST_F(GdbSessionTest, WatchpointsAreTheProcessors) {
  EXPECT_EQ(Ask("Z2,2000,8"), "OK");
  EXPECT_EQ(Ask("Z4,3000,4"), "OK");
  EXPECT_EQ(Ask("Z3,3000,4"), "") << "no processor watches reads alone";
  EXPECT_EQ(guest_.hardware, (std::vector<HardwareBreak>{{Kind::kWrite, 0x2000, 8}, {Kind::kAccess, 0x3000, 4}}));
  Ask("vCont;c");
  Stop({.reason = Reason::kWatch, .vcpu = 0, .address = 0x3000, .kind = Kind::kAccess});
  EXPECT_EQ(Said(), "T05awatch:3000;thread:1;");
  EXPECT_EQ(Ask("z2,2000,8"), "OK");
  EXPECT_EQ(guest_.hardware.size(), 1u);
  EXPECT_EQ(Ask("Z1,4000,1"), "OK");
  EXPECT_EQ(Ask("Z2,4000,20"), "E01") << "more than the processor has";
}

TEST_F(GdbSessionTest, WhatTheHostCannotDoIsRefused) {
  guest_.can = {};
  EXPECT_EQ(Ask("Z1,1000,1"), "E01");
  EXPECT_EQ(Ask("Z2,1000,1"), "E01");
  EXPECT_EQ(Ask("Z0,1000,1"), "OK") << "a planted one works everywhere";
  const std::string answer = Ask("vCont;s:1");
  EXPECT_THAT(answer, StartsWith("O" + ToHex("vmm: this host's KVM makes no single steps")));
  EXPECT_THAT(answer, HasSubstr("T05thread:1;"));
}

TEST_F(GdbSessionTest, AProgramsBreakpointIsTheProcessors) {
  // Page tables at 0x2000 that map 0x400000 for programs.
  for (const auto& [addr, entry] :
       {std::pair<uint64_t, uint64_t>{0x2000, 0x3007}, {0x3000, 0x4007}, {0x4000 + 2 * 8, 0x5007}, {0x5000, 0x10005}}) {
    ASSERT_TRUE(guest_.memory().WriteObject(GuestAddr{addr}, entry).ok());
  }
  CpuState& cpu = guest_.cpus[0].cpu;
  cpu.cr0 = 0x80000001, cpu.cr3 = 0x2000, cpu.efer = 0x500, cpu.cs.selector = 0x33;
  EXPECT_EQ(Ask("Z0,400000,1"), "OK");
  EXPECT_THAT(guest_.planted, IsEmpty());
  EXPECT_EQ(guest_.hardware, (std::vector<HardwareBreak>{{Kind::kExecute, 0x400000, 1}}));
  Ask("vCont;c");
  Stop({.reason = Reason::kHardware, .vcpu = 0, .address = 0x400000});
  EXPECT_EQ(Said(), "T05swbreak:;thread:1;") << "that is what gdb asked for";
  EXPECT_EQ(Ask("z0,400000,1"), "OK");
  EXPECT_THAT(guest_.hardware, IsEmpty());
  EXPECT_EQ(Ask("Z0,500000,1"), "E01") << "not mapped";
}

TEST_F(GdbSessionTest, MonitorCommandsAreThoseOfTheMonitorAndMore) {
  EXPECT_EQ(Ask("qRcmd," + ToHex("info status")), "O" + ToHex("VM status: paused\n") + " OK");
  EXPECT_THAT(Ask("qRcmd," + ToHex("help")), HasSubstr(ToHex("kernel -- ")));
  EXPECT_EQ(Ask("qRcmd," + ToHex("kernel")), "O" + ToHex("the kernel's words\n") + " OK");
  EXPECT_EQ(Ask("qRcmd,zz"), "E01");
  const std::string registers = Ask("qRcmd," + ToHex("info registers -a"));
  EXPECT_THAT(registers, HasSubstr(ToHex("CPU#1")));
}

TEST_F(GdbSessionTest, ADetachLeavesTheGuestAsIfNothingHadBeen) {
  Ask("Z0,1000,1"), Ask("Z2,2000,8");
  EXPECT_EQ(Ask("D"), "OK");
  EXPECT_TRUE(session_.ended());
  EXPECT_THAT(guest_.planted, IsEmpty());
  EXPECT_THAT(guest_.hardware, IsEmpty());
  EXPECT_EQ(guest_.guest.state(), GuestState::kRunning);
}

TEST_F(GdbSessionTest, AGdbThatDiesDoesToo) {
  Ask("Z0,1000,1"), Ask("vCont;c");
  session_.Leave();
  EXPECT_THAT(guest_.planted, IsEmpty());
  EXPECT_EQ(guest_.guest.state(), GuestState::kRunning);
}

TEST(GdbSessionStartTest, TheVcpuThatDiedIsShownFirst) {
  FakeDebugGuest guest;
  guest.died_on = 1;
  GdbSession session(guest, "");
  session.Receive(FrameGdbPacket("QStartNoAckMode") + FrameGdbPacket("?"));
  EXPECT_THAT(session.output(), HasSubstr("thread:2;"));
}

TEST(GdbSessionStartTest, AGuestThatWasPausedBeforeStaysSo) {
  FakeDebugGuest guest;
  ASSERT_TRUE(guest.guest.Pause().ok());
  GdbSession session(guest, "");
  session.Leave();
  EXPECT_EQ(guest.guest.state(), GuestState::kPaused);
  GdbSession second(guest, "");
  second.Receive(FrameGdbPacket("D"));
  EXPECT_EQ(guest.guest.state(), GuestState::kRunning) << "a goodbye lets it go";
}

TEST_F(GdbSessionTest, KillEndsTheRun) {
  EXPECT_EQ(Ask("vKill;1"), "OK");
  EXPECT_EQ(Ask("k"), "");
  EXPECT_TRUE(session_.ended());
  EXPECT_THAT(guest_.guest.asked, ElementsAre("quit", "quit"));
}

TEST_F(GdbSessionTest, TheEndOfTheMachineIsTold) {
  Ask("vCont;c");
  session_.GuestEnded();
  EXPECT_EQ(Said(), "W00");
  EXPECT_TRUE(session_.ended());
}

TEST_F(GdbSessionTest, PhysicalMemoryAsQemuOffersIt) {
  guest_.cpus[0].cpu.cr0 = 0x80000001;
  guest_.cpus[0].cpu.efer = 0x500;
  EXPECT_EQ(Ask("m1000,1"), "E01");
  EXPECT_EQ(Ask("Qqemu.PhyMemMode:1"), "OK");
  EXPECT_EQ(Ask("qqemu.PhyMemMode"), "1");
  EXPECT_EQ(Ask("m1000,1"), "00");
}

}  // namespace
}  // namespace vmm
