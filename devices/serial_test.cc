#include "devices/serial.h"

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;

class CountedLine final : public IrqLine {
 public:
  void Set(bool new_level) override {
    EXPECT_NE(new_level, level);
    level = new_level;
    edges += new_level ? 1 : 0;
  }
  bool level = false;
  int edges = 0;
};

class SerialTest : public ::testing::Test {
 protected:
  SerialTest() {
    serial.set_on_room([this] { ++rooms; });
  }

  uint8_t In(uint64_t reg) {
    std::array<uint8_t, 1> data{};
    serial.Read(reg, data);
    return data[0];
  }
  void Out(uint64_t reg, uint8_t value) { serial.Write(reg, std::array<uint8_t, 1>{value}); }
  size_t Receive(std::string_view text) {
    return serial.Receive({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

  // Puts the port into the state in which a Linux driver leaves it after opening it.
  void Open() {
    Out(kUartFcr, kFcrEnable | 2 << kFcrTriggerShift);
    Out(kUartMcr, kMcrDtr | kMcrRts | kMcrOut2);
    Out(kUartIer, kIerErbi | kIerElsi);
    rooms = 0;
    line.edges = 0;
  }

  CountedLine line;
  std::string sent;
  int rooms = 0;
  Serial serial{line, [this](std::span<const uint8_t> data) { sent.append(data.begin(), data.end()); }};
};

TEST_F(SerialTest, AByteWrittenIsSentOut) {
  Out(kUartThr, 'h');
  Out(kUartThr, 'i');
  EXPECT_EQ(sent, "hi");
  EXPECT_EQ(In(kUartLsr), kLsrThre | kLsrTemt);
}

TEST_F(SerialTest, AByteReceivedIsRead) {
  EXPECT_EQ(Receive("x"), 1u);
  EXPECT_EQ(In(kUartLsr) & kLsrDr, kLsrDr);
  EXPECT_EQ(In(kUartRbr), 'x');
  EXPECT_EQ(In(kUartLsr) & kLsrDr, 0);
}

TEST_F(SerialTest, DlabTurnsTheFirstTwoRegistersIntoTheDivisor) {
  Receive("x");
  Out(kUartLcr, kLcrDlab | 0x03);
  Out(kUartDll, 0x34);
  Out(kUartDlm, 0x12);
  EXPECT_EQ(In(kUartDll), 0x34);
  EXPECT_EQ(In(kUartDlm), 0x12);
  Out(kUartLcr, 0x03);
  EXPECT_EQ(In(kUartRbr), 'x');
  EXPECT_EQ(In(kUartIer), 0);
  EXPECT_EQ(In(kUartLcr), 0x03);
  EXPECT_EQ(sent, "");
}

TEST_F(SerialTest, TheDivisorIsNotZeroFromTheStart) {
  Out(kUartLcr, kLcrDlab);
  EXPECT_NE(In(kUartDll), 0);  // Linux's probe_baud divides by it
}

// Follows autoconfig() and autoconfig_16550a() in drivers/tty/serial/8250/8250_port.c.
TEST_F(SerialTest, LinuxFindsA16550A) {
  Out(kUartIer, 0);
  EXPECT_EQ(In(kUartIer) & 0x0f, 0);
  Out(kUartIer, 0xff);
  EXPECT_EQ(In(kUartIer), 0x0f);  // all four bits, and no sleep or UUE bits above them
  Out(kUartIer, 0);

  Out(kUartMcr, kMcrLoop | 0x0a);
  EXPECT_EQ(In(kUartMsr) & 0xf0, 0x90);
  Out(kUartMcr, 0);

  Out(kUartLcr, 0);
  EXPECT_EQ(In(kUartIir) >> 6, 0);
  Out(kUartFcr, kFcrEnable);
  EXPECT_EQ(In(kUartIir) >> 6, 3);

  Out(kUartLcr, 0x80);
  EXPECT_NE(In(kUartIir), 0);  // no EFR under DLAB: no 16650
  Out(kUartLcr, 0xbf);
  EXPECT_NE(In(kUartIir), 0);
  Out(kUartLcr, 0);
  Out(kUartFcr, kFcrEnable | 0x20);
  EXPECT_EQ(In(kUartIir) >> 5, 6);  // no 64-byte FIFO: no 16750
  Out(kUartScr, 0x5a);
  EXPECT_EQ(In(kUartScr), 0x5a);
  EXPECT_EQ(In(kUartMcr) & 0xe0, 0);
}

// Follows serial8250_THRE_test() and the TXEN test of serial8250_do_startup().
TEST_F(SerialTest, LinuxFindsNoThreOrTxenBug) {
  Open();
  for (int round = 0; round < 2; ++round) {
    Out(kUartIer, kIerEtbei);
    EXPECT_EQ(In(kUartIir) & kIirNone, 0);
    Out(kUartIer, 0);
  }
}

TEST_F(SerialTest, ReadingIirTakesTheThrEmptyInterruptBack) {
  Open();
  Out(kUartIer, kIerEtbei);
  EXPECT_TRUE(line.level);
  EXPECT_EQ(In(kUartIir), kIirThrEmpty | kIirFifosOn);
  EXPECT_FALSE(line.level);
  EXPECT_EQ(In(kUartIir), kIirNone | kIirFifosOn);
}

TEST_F(SerialTest, EachByteSentIsAnEdge) {
  Open();
  Out(kUartIer, kIerEtbei);
  In(kUartIir);
  line.edges = 0;
  Out(kUartThr, 'a');
  Out(kUartThr, 'b');
  EXPECT_EQ(line.edges, 2);
  EXPECT_TRUE(line.level);
}

TEST_F(SerialTest, OneByteInterruptsThoughTheTriggerIsEight) {
  Open();
  Receive("a");
  EXPECT_TRUE(line.level);
  EXPECT_EQ(In(kUartIir), kIirCharacterTimeout | kIirFifosOn);
  In(kUartRbr);
  EXPECT_FALSE(line.level);
}

TEST_F(SerialTest, TheTriggerLevelTellsDataFromTimeout) {
  Open();
  for (const auto& [setting, level] : {std::pair{0, 1}, {1, 4}, {2, 8}, {3, 14}}) {
    Out(kUartFcr, static_cast<uint8_t>(kFcrEnable | kFcrResetReceiver | setting << kFcrTriggerShift));
    for (int i = 1; i <= 16; ++i) {
      ASSERT_EQ(Receive("x"), 1u);
      const uint8_t want = i < level ? kIirCharacterTimeout : kIirDataAvailable;
      EXPECT_EQ(In(kUartIir), want | kIirFifosOn) << "byte " << i << " of trigger " << level;
    }
  }
}

TEST_F(SerialTest, BelowTheTriggerEveryByteTakenIsFollowedByAnEdge) {
  Open();
  Receive("abc");
  EXPECT_EQ(line.edges, 1);
  In(kUartRbr);
  EXPECT_EQ(line.edges, 2);
  EXPECT_TRUE(line.level);
}

TEST_F(SerialTest, WithoutFifosOneByteFits) {
  Open();
  Out(kUartFcr, 0);
  EXPECT_EQ(Receive("ab"), 1u);
  EXPECT_EQ(In(kUartIir), kIirDataAvailable);
  EXPECT_EQ(In(kUartRbr), 'a');
}

TEST_F(SerialTest, TheHighestPriorityIsReportedFirst) {
  Open();
  Out(kUartMcr, kMcrLoop);  // changes modem lines, and lets the guest overrun itself
  for (int i = 0; i < 17; ++i) Out(kUartThr, 'x');
  Out(kUartIer, 0x0f);
  EXPECT_EQ(In(kUartIir), kIirLineStatus | kIirFifosOn);
  EXPECT_EQ(In(kUartLsr) & kLsrOe, kLsrOe);
  EXPECT_EQ(In(kUartIir), kIirDataAvailable | kIirFifosOn);
  Out(kUartFcr, kFcrEnable | kFcrResetReceiver);
  EXPECT_EQ(In(kUartIir), kIirThrEmpty | kIirFifosOn);
  EXPECT_EQ(In(kUartIir), kIirModemStatus | kIirFifosOn);
  In(kUartMsr);
  EXPECT_EQ(In(kUartIir), kIirNone | kIirFifosOn);
}

TEST_F(SerialTest, WithoutOut2NoInterruptLeavesTheChip) {
  Open();
  Out(kUartMcr, 0);
  Receive("a");
  EXPECT_FALSE(line.level);
  EXPECT_EQ(In(kUartIir), kIirCharacterTimeout | kIirFifosOn);
  Out(kUartMcr, kMcrOut2);
  EXPECT_TRUE(line.level);
  Out(kUartMcr, kMcrOut2 | kMcrLoop);
  EXPECT_FALSE(line.level);
}

TEST_F(SerialTest, InLoopbackBytesComeBackAndTheHostIsCutOff) {
  Out(kUartFcr, kFcrEnable);
  Out(kUartMcr, kMcrLoop);
  Out(kUartThr, 'l');
  EXPECT_EQ(Receive("host"), 0u);
  EXPECT_EQ(In(kUartRbr), 'l');
  EXPECT_EQ(sent, "");
  EXPECT_EQ(rooms, 0);
  Out(kUartMcr, 0);
  EXPECT_EQ(rooms, 1);
}

TEST_F(SerialTest, LoopbackConnectsTheModemLines) {
  Out(kUartMcr, kMcrLoop | kMcrOut1);
  EXPECT_EQ(In(kUartMsr) & 0xf0, kMsrRi);
  Out(kUartMcr, kMcrLoop | kMcrDtr);
  EXPECT_EQ(In(kUartMsr), kMsrDsr | kMsrDdsr | kMsrTeri);
  EXPECT_EQ(In(kUartMsr), kMsrDsr);  // the changes are reported only once
}

TEST_F(SerialTest, TheHostLooksLikeAReadyModem) { EXPECT_EQ(In(kUartMsr), kMsrCts | kMsrDsr | kMsrDcd); }

TEST_F(SerialTest, WhatDoesNotFitStaysWithTheCallerWhoIsToldOfRoomOnce) {
  Open();
  EXPECT_EQ(Receive("0123456789abcdefgh"), 16u);
  for (int i = 0; i < 15; ++i) In(kUartRbr);
  EXPECT_EQ(rooms, 0);
  EXPECT_EQ(In(kUartRbr), 'f');
  EXPECT_EQ(rooms, 1);
  EXPECT_EQ(Receive("gh"), 2u);
  In(kUartRbr);
  In(kUartRbr);
  EXPECT_EQ(rooms, 1);
}

TEST_F(SerialTest, AFifoResetDropsInputAndMakesRoom) {
  Open();
  Receive("0123456789abcdefgh");
  Out(kUartFcr, kFcrEnable | kFcrResetReceiver);
  EXPECT_EQ(In(kUartLsr) & kLsrDr, 0);
  EXPECT_FALSE(line.level);
  EXPECT_EQ(rooms, 1);
}

TEST_F(SerialTest, TheCallbackMayReceive) {
  Open();
  serial.set_on_room([this] { Receive("next"); });
  Receive("0123456789abcdefgh");
  for (int i = 0; i < 16; ++i) In(kUartRbr);
  EXPECT_EQ(In(kUartRbr), 'n');
}

TEST_F(SerialTest, RaisingRtsIsToldToTheHost) {
  EXPECT_FALSE(serial.IsRequestToSend());
  Out(kUartMcr, kMcrDtr | kMcrRts);
  EXPECT_TRUE(serial.IsRequestToSend());
  EXPECT_EQ(rooms, 1);
  Out(kUartMcr, kMcrDtr | kMcrRts | kMcrOut2);
  EXPECT_EQ(rooms, 1);
}

TEST_F(SerialTest, AWideAccessIsOneOfBytes) {
  serial.Write(kUartMcr - 1, std::array<uint8_t, 2>{0x03, kMcrDtr});
  EXPECT_EQ(In(kUartLcr), 0x03);
  EXPECT_EQ(In(kUartMcr), kMcrDtr);
  std::array<uint8_t, 2> both{};
  serial.Read(kUartLcr, both);
  EXPECT_THAT(both, ElementsAre(0x03, kMcrDtr));
}

TEST_F(SerialTest, AMillionRandomAccessesStayInBounds) {
  std::minstd_rand random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const uint32_t dice = random();
    const uint64_t reg = dice % kUartRegisters;
    switch (dice / 8 % 4) {
      case 0: In(reg); break;
      case 1: Out(reg, static_cast<uint8_t>(dice >> 8)); break;
      case 2: EXPECT_LE(Receive("0123456789abcdefghijklmnopqrstuvwxyz"), kUartFifoDepth); break;
      case 3: In(kUartRbr); break;
    }
    if (sent.size() > 1000) sent.clear();
  }
  Out(kUartLcr, 0);
  Out(kUartMcr, 0);
  int waiting = 0;
  while ((In(kUartLsr) & kLsrDr) != 0) {
    In(kUartRbr);
    ASSERT_LE(++waiting, 16);
  }
}

TEST_F(SerialTest, SeveralThreadsMayUseItAtOnce) {
  Open();
  serial.set_on_room([] {});
  std::thread host([this] {
    for (int i = 0; i < 10'000; ++i) Receive("abc");
  });
  std::thread other([this] {
    for (int i = 0; i < 10'000; ++i) Out(kUartThr, 'x');
  });
  for (int i = 0; i < 10'000; ++i) In(kUartRbr);
  host.join();
  other.join();
  EXPECT_EQ(sent, std::string(10'000, 'x'));
}

}  // namespace
}  // namespace vmm
