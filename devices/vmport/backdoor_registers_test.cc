#include <gtest/gtest.h>

#include "devices/vmport/backdoor.h"
#include "devices/vmport/testing/backdoor_client.h"

namespace vmm {
namespace {

constexpr BackdoorRegisters Command(uint32_t ecx) {
  return {.eax = kBackdoorMagic,
          .ebx = 0xb0b1b2b3,
          .ecx = ecx,
          .edx = 0xd0d10000 | kBackdoorPort,
          .esi = 0x51525354,
          .edi = 0xd1d2d3d4,
          .ebp = 0xe0e1e2e3};
}

class BackdoorRegistersTest : public testing::Test {
 protected:
  static BackdoorConfig Config() {
    BackdoorConfig config;
    config.tsc_hz = 0x1'2345'6789;
    config.apic_bus_hz = 1'000'000'000;
    config.memory_mib = 4096;
    config.hardware_version = 7;
    config.legacy_x2apic = true;
    for (size_t i = 0; i < config.uuid.size(); ++i) config.uuid[i] = static_cast<uint8_t>(i);
    return config;
  }

  BackdoorRegisters Run(uint32_t ecx) {
    BackdoorRegisters registers = Command(ecx);
    test_.backdoor.In(0, 4, registers);
    return registers;
  }

  void ExpectRefused(uint32_t ecx) {
    BackdoorRegisters expected = Command(ecx);
    expected.eax = kBackdoorRefused;
    EXPECT_EQ(Run(ecx), expected) << ecx;
  }

  TestBackdoor test_{Config()};
};

// R1: each command in the table.
TEST_F(BackdoorRegistersTest, R1_GetVersionNamesItsVersionAndTheMagic) {
  BackdoorRegisters expected = Command(kCmdGetVersion);
  expected.eax = 6;
  expected.ebx = kBackdoorMagic;
  expected.ecx = kProductEsx;
  EXPECT_EQ(Run(kCmdGetVersion), expected);
}

TEST_F(BackdoorRegistersTest, R1_GetMhz) { EXPECT_EQ(Run(kCmdGetMhz).eax, 0x1'2345'6789 / 1'000'000); }

TEST_F(BackdoorRegistersTest, R1_GetHwVersionIsBelievedOnlyWithTheMagic) {
  const BackdoorRegisters registers = Run(kCmdGetHwVersion);
  EXPECT_EQ(registers.eax, 7u);
  EXPECT_EQ(registers.ebx, kBackdoorMagic);
}

TEST_F(BackdoorRegistersTest, R1_GetUuidIsSixteenBytesInFourRegisters) {
  const BackdoorRegisters registers = Run(kCmdGetUuid);
  EXPECT_EQ(registers.eax, 0x03020100u);
  EXPECT_EQ(registers.ebx, 0x07060504u);
  EXPECT_EQ(registers.ecx, 0x0b0a0908u);
  EXPECT_EQ(registers.edx, 0x0f0e0d0cu);
}

TEST_F(BackdoorRegistersTest, R1_GetMemSizeIsInMib) { EXPECT_EQ(Run(kCmdGetMemSize).eax, 4096u); }

TEST_F(BackdoorRegistersTest, R1_GetTime) {
  const BackdoorRegisters registers = Run(kCmdGetTime);
  EXPECT_EQ(registers.eax, 1'600'000'000u);
  EXPECT_EQ(registers.ebx, 250'000u);
  EXPECT_EQ(registers.ecx, 1'000'000u);
  EXPECT_EQ(registers.edx, 0u);
}

TEST_F(BackdoorRegistersTest, R1_GetTimeBeyond32BitsIsRefused) {
  test_.clock.now = absl::FromUnixSeconds(int64_t{1} << 32);
  ExpectRefused(kCmdGetTime);
  test_.clock.now = absl::FromUnixSeconds(-1);
  ExpectRefused(kCmdGetTime);
}

TEST_F(BackdoorRegistersTest, R1_GetTimeFullHas64BitsOfSeconds) {
  test_.clock.now = absl::FromUnixSeconds((int64_t{3} << 32) + 5) + absl::Microseconds(7);
  BackdoorRegisters expected = Command(kCmdGetTimeFull);
  expected.ebx = 7;
  expected.ecx = 1'000'000;
  expected.edx = 5;
  expected.esi = 3;
  EXPECT_EQ(Run(kCmdGetTimeFull), expected);
}

TEST_F(BackdoorRegistersTest, R1_GetTimeFullWithLagHasNone) {
  const BackdoorRegisters registers = Run(kCmdGetTimeFullWithLag);
  EXPECT_EQ(registers.eax, kBackdoorMagic);
  EXPECT_EQ(registers.edx, 1'600'000'000u);
  EXPECT_EQ(registers.esi, 0u);
  EXPECT_EQ(registers.edi, 0u);
}

TEST_F(BackdoorRegistersTest, R1_GetHz) {
  const BackdoorRegisters registers = Run(kCmdGetHz);
  EXPECT_EQ(registers.eax, 0x2345'6789u);
  EXPECT_EQ(registers.ebx, 1u);
  EXPECT_EQ(registers.ecx, 1'000'000'000u);
}

// Linux sets EBX to all ones first, and falls back if EBX still has them.
TEST_F(BackdoorRegistersTest, R1_GetHzIsRefusedWhereTheTscIsNotKnown) {
  TestBackdoor unknown;
  for (const uint16_t command : {kCmdGetHz, kCmdGetMhz}) {
    BackdoorRegisters registers = Command(command);
    unknown.backdoor.In(0, 4, registers);
    BackdoorRegisters expected = Command(command);
    expected.eax = kBackdoorRefused;
    EXPECT_EQ(registers, expected);
  }
}

TEST_F(BackdoorRegistersTest, R1_GetVcpuInfoHasBit31Clear) {
  EXPECT_EQ(Run(kCmdGetVcpuInfo).eax, kVcpuInfoLegacyX2apic);
  TestBackdoor without;
  BackdoorRegisters registers = Command(kCmdGetVcpuInfo);
  without.backdoor.In(0, 4, registers);
  EXPECT_EQ(registers.eax, 0u);
}

TEST_F(BackdoorRegistersTest, R2_EveryOtherCommandIsRefusedAndChangesNothing) {
  for (uint32_t command = 0; command <= 0xffff; ++command) {
    switch (command) {
      case kCmdGetMhz:
      case kCmdGetVersion:
      case kCmdGetHwVersion:
      case kCmdGetUuid:
      case kCmdGetMemSize:
      case kCmdGetTime:
      case kCmdMessage:
      case kCmdGetHz:
      case kCmdGetTimeFull:
      case kCmdGetTimeFullWithLag:
      case kCmdGetVcpuInfo: continue;
    }
    ExpectRefused(command);
    ExpectRefused(0xabcd0000 | command);
  }
}

TEST_F(BackdoorRegistersTest, R3_AWrongMagicIsRefusedAndChangesNothing) {
  for (int bit = 0; bit < 32; ++bit) {
    BackdoorRegisters registers = Command(kCmdGetVersion);
    registers.eax ^= uint32_t{1} << bit;
    BackdoorRegisters expected = registers;
    expected.eax = kBackdoorRefused;
    test_.backdoor.In(0, 4, registers);
    EXPECT_EQ(registers, expected);
  }
}

// The client leaves garbage in the high half: 0xffff000a has been observed.
TEST_F(BackdoorRegistersTest, R3_TheHighHalfOfEcxIsNoPartOfTheCommand) {
  EXPECT_EQ(Run(0xffff0000 | kCmdGetVersion).ebx, kBackdoorMagic);
}

TEST_F(BackdoorRegistersTest, R4_AByteOrWordInChangesOnlyThatMuchOfEax) {
  BackdoorRegisters byte = Command(kCmdGetVersion);
  test_.backdoor.In(0, 1, byte);
  EXPECT_EQ(byte.eax, (kBackdoorMagic & 0xffffff00) | 6);
  EXPECT_EQ(byte.ebx, kBackdoorMagic);

  BackdoorRegisters word = Command(kCmdGetVersion);
  test_.backdoor.In(0, 2, word);
  EXPECT_EQ(word.eax, (kBackdoorMagic & 0xffff0000) | 6);
  EXPECT_EQ(word.ebx, kBackdoorMagic);

  BackdoorRegisters refused = Command(0);
  test_.backdoor.In(0, 2, refused);
  EXPECT_EQ(refused.eax, kBackdoorMagic | 0xffff);
}

TEST_F(BackdoorRegistersTest, R4_AnOutDoesTheSameAndLeavesEax) {
  for (const size_t size : {1, 2, 4}) {
    BackdoorRegisters expected = Command(kCmdGetVersion);
    expected.ebx = kBackdoorMagic;
    expected.ecx = kProductEsx;
    BackdoorRegisters registers = Command(kCmdGetVersion);
    test_.backdoor.Out(0, size, registers);
    EXPECT_EQ(registers, expected);
  }
}

TEST_F(BackdoorRegistersTest, R5_ACommandIsSixteenBitsNotEight) {
  ExpectRefused(0x100 | kCmdGetVersion);
  ExpectRefused(0x100 | kCmdMessage);
}

TEST_F(BackdoorRegistersTest, R6_TheOtherThreePortsReadAsOpenBus) {
  for (const uint64_t offset : {1, 2, 3}) {
    BackdoorRegisters registers = Command(kCmdGetVersion);
    registers.edx += static_cast<uint32_t>(offset);
    BackdoorRegisters expected = registers;
    test_.backdoor.Out(offset, 1, registers);
    EXPECT_EQ(registers, expected);
    expected.eax |= 0xff;
    test_.backdoor.In(offset, 1, registers);
    EXPECT_EQ(registers, expected);
  }
}

TEST_F(BackdoorRegistersTest, R9_AStringInstructionIsLikeOpenBus) {
  const std::string before = test_.backdoor.Save();
  std::array<uint8_t, 4> data = {};
  test_.backdoor.Read(0, data);
  EXPECT_EQ(data, (std::array<uint8_t, 4>{0xff, 0xff, 0xff, 0xff}));
  test_.backdoor.Write(0, data);
  EXPECT_EQ(test_.backdoor.Save(), before);
}

}  // namespace
}  // namespace vmm
