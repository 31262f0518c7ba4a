// gdb's packets come from another program. This test makes sessions of packets that are right, damaged or rubbish, in
// pieces of any size, the same in each run. Whatever comes, the session stays within its limits, each reply is a whole
// packet, and a detach leaves nothing behind. FUZZ_STEPS in the environment sets another number of steps.
#include <random>
#include <string>

#include "dump/testing/fuzz_steps.h"
#include "gtest/gtest.h"
#include "vmm/gdb/session.h"
#include "vmm/gdb/testing/fake_debug_guest.h"

namespace vmm {
namespace {

const std::vector<std::string>& Seeds() {
  static const auto& seeds = *new std::vector<std::string>{
      "qSupported:swbreak+;hwbreak+",
      "vCont?",
      "vCont;c:p1.-1",
      "vCont;s:1;c",
      "vCont;C05:2",
      "g",
      "p10",
      "P10=0011000000000000",
      "m1000,40",
      "M1000,2:0102",
      "X1000,2:ab",
      "Z0,1000,1",
      "z0,1000,1",
      "Z2,2000,8",
      "Z4,2001,7",
      "z4,2001,7",
      "Z1,3000,1",
      "?",
      "Hg2",
      "Hc-1",
      "T1",
      "qfThreadInfo",
      "qsThreadInfo",
      "qThreadExtraInfo,2",
      "qC",
      "qAttached:1",
      "c",
      "s",
      "qXfer:features:read:target.xml:0,ffb",
      "qRcmd,696e666f20726567697374657273",
      "qRcmd,7870202f38786220307831303030",
      "Qqemu.PhyMemMode:1",
      "QStartNoAckMode",
      "qSymbol::",
      "D;1",
  };
  return seeds;
}

TEST(GdbFuzzTest, NoInputMovesASessionOutOfItsLimits) {
  std::mt19937_64 random(FuzzSeed(16));
  const uint64_t steps = FuzzSteps(3000);
  uint64_t packets = 0;
  for (uint64_t step = 0; step < steps;) {
    FakeDebugGuest guest;
    GdbSession session(guest, "words\n");
    GdbPacketReader replies;
    for (int i = 0; i < 30 && !session.ended(); ++i, ++step) {
      std::string text = Seeds()[random() % Seeds().size()];
      for (uint64_t change = random() % 3; change > 0 && !text.empty(); --change) {
        const size_t at = random() % text.size();
        switch (random() % 4) {
          case 0: text[at] = static_cast<char>(random()); break;
          case 1: text.erase(at, 1 + random() % 4); break;
          case 2: text.insert(at, std::string(1 + random() % 8, "0123456789abcdef,:;-*"[random() % 21])); break;
          case 3: text += Seeds()[random() % Seeds().size()]; break;
        }
      }
      std::string bytes = FrameGdbPacket(text);
      if (random() % 8 == 0) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 8 == 0) bytes += '\x03';
      const size_t cut = random() % bytes.size();
      session.Receive(std::string_view(bytes).substr(0, cut));
      session.Receive(std::string_view(bytes).substr(cut));
      if (random() % 4 == 0) {
        guest.stop = DebugStop{.reason = static_cast<DebugStop::Reason>(random() % 4),
                               .vcpu = static_cast<int>(random() % 2),
                               .address = random()};
        session.LookForStop();
      }
      ASSERT_LE(guest.hardware.size(), kHardwareBreaks);
      ASSERT_LE(session.output().size(), GdbSession::kMaxOutput + 2 * GdbPacketReader::kMaxPacket + 0x10000);
      for (const GdbItem& item : replies.Add(session.output())) {
        packets += item.kind == GdbItem::Kind::kPacket;
        ASSERT_NE(item.kind, GdbItem::Kind::kBroken);
      }
      session.output().clear();
    }
    session.Leave();
    ASSERT_TRUE(guest.planted.empty());
    ASSERT_TRUE(guest.hardware.empty());
  }
  EXPECT_GT(packets, steps / 4) << "most input was not even a packet";
}

}  // namespace
}  // namespace vmm
