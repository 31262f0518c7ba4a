#include "vmm/gdb/registers.h"

#include <cstring>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::HasSubstr;

uint64_t At(const std::vector<uint8_t>& bytes, size_t offset, size_t size = 8) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, size);
  return value;
}

TEST(GdbRegistersTest, TheOffsetsAreThoseOfQemu) {
  GdbCpu cpu;
  cpu.cpu.rax = 0x1122334455667788;
  cpu.cpu.r15 = 15, cpu.cpu.rip = 0xffffffff81000000, cpu.cpu.rflags = 0x246;
  cpu.cpu.cs.selector = 0x10, cpu.cpu.gs.selector = 0x2b;
  cpu.cpu.fs.base = 0x7f00, cpu.cpu.kernel_gs_base = 0x99, cpu.cpu.cr3 = 0x1000, cpu.cpu.efer = 0xd01;
  cpu.fpu.st[0][9] = 0x40;
  cpu.fpu.xmm[15][0] = 0xab;
  const std::vector<uint8_t> bytes = AllGdbRegisters(cpu);
  ASSERT_EQ(bytes.size(), 608u);
  EXPECT_EQ(At(bytes, 0), 0x1122334455667788u);
  EXPECT_EQ(At(bytes, 120), 15u);
  EXPECT_EQ(At(bytes, 128), 0xffffffff81000000);
  EXPECT_EQ(At(bytes, 136, 4), 0x246u);
  EXPECT_EQ(At(bytes, 140, 4), 0x10u);
  EXPECT_EQ(At(bytes, 160, 4), 0x2bu);
  EXPECT_EQ(At(bytes, 164), 0x7f00u) << "fs_base";
  EXPECT_EQ(At(bytes, 180), 0x99u) << "k_gs_base";
  EXPECT_EQ(At(bytes, 204), 0x1000u) << "cr3";
  EXPECT_EQ(At(bytes, 228), 0xd01u) << "efer";
  EXPECT_EQ(bytes[236 + 9], 0x40) << "st0";
  EXPECT_EQ(At(bytes, 316, 4), 0x37fu) << "fctrl";
  EXPECT_EQ(At(bytes, 324, 4), 0xffffu) << "ftag: all empty";
  EXPECT_EQ(bytes[348 + 15 * 16], 0xab) << "xmm15";
  EXPECT_EQ(At(bytes, 604, 4), 0x1f80u) << "mxcsr";
}

TEST(GdbRegistersTest, EveryRegisterThatWasReadCanBeWrittenBack) {
  GdbCpu cpu;
  cpu.cpu.rsp = 0x123456789, cpu.cpu.gs.base = 0xffff888000000000, cpu.cpu.ss.selector = 0x18;
  cpu.fpu.tags = 0x81, cpu.fpu.xmm[7][3] = 9, cpu.fpu.st[7][0] = 1;
  const std::vector<uint8_t> bytes = AllGdbRegisters(cpu);
  GdbCpu other;
  ASSERT_TRUE(SetAllGdbRegisters(bytes, other));
  EXPECT_EQ(AllGdbRegisters(other), bytes);
  EXPECT_FALSE(SetAllGdbRegisters(std::span(bytes).first(607), other));
}

TEST(GdbRegistersTest, OneRegisterHasItsOwnSize) {
  GdbCpu cpu;
  cpu.cpu.rip = 0x1234;
  EXPECT_EQ(OneGdbRegister(16, cpu), (std::vector<uint8_t>{0x34, 0x12, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(SetOneGdbRegister(17, std::vector<uint8_t>{2, 3, 0, 0}, cpu));
  EXPECT_EQ(cpu.cpu.rflags, 0x302u);
  EXPECT_FALSE(SetOneGdbRegister(17, std::vector<uint8_t>{2, 3}, cpu));
  EXPECT_FALSE(OneGdbRegister(66, cpu).has_value());
  EXPECT_TRUE(OneGdbRegister(65, cpu).has_value());
  EXPECT_FALSE(IsFpuRegister(32));
  EXPECT_TRUE(IsFpuRegister(33)) << "st0";
}

TEST(GdbRegistersTest, TheDescriptionNamesSegmentBasesAndControlRegisters) {
  for (const char* name : {"rax", "eflags", "gs_base", "k_gs_base", "cr0", "cr4", "efer", "st7", "xmm15", "mxcsr"}) {
    EXPECT_THAT(GdbTargetXml(), HasSubstr("<reg name=\"" + std::string(name) + "\"")) << name;
  }
}

}  // namespace
}  // namespace vmm
