#include "vmm/kvm/decode_exit.h"

#include <linux/kvm.h>

#include <algorithm>
#include <cstring>

#include "gtest/gtest.h"

namespace vmm {
namespace {

// A run mapping in KVM's layout: struct kvm_run, and a page for port I/O.
class DecodeExitTest : public ::testing::Test {
 protected:
  kvm_run& run() { return *reinterpret_cast<kvm_run*>(page_); }

  template <typename T>
  T DecodeAs() {
    const VcpuExit exit = DecodeExit(page_);
    EXPECT_TRUE(std::holds_alternative<T>(exit)) << "exit of kind " << exit.index();
    return std::holds_alternative<T>(exit) ? std::get<T>(exit) : T{};
  }

  void SetIo(uint8_t direction, uint8_t size, uint32_t count, uint64_t offset) {
    run().exit_reason = KVM_EXIT_IO;
    run().io.direction = direction;
    run().io.size = size;
    run().io.port = 0x3f8;
    run().io.count = count;
    run().io.data_offset = offset;
  }

  alignas(8) uint8_t page_[3 * 4096] = {};
};

TEST_F(DecodeExitTest, AStringOutHasAllItsElements) {
  SetIo(KVM_EXIT_IO_OUT, 2, 3, 4096);
  std::memcpy(page_ + 4096, "abcdef", 6);
  const IoExit io = DecodeAs<IoExit>();
  EXPECT_EQ(io.port, 0x3f8);
  EXPECT_EQ(io.size, 2);
  EXPECT_TRUE(io.is_write);
  EXPECT_EQ(std::string(io.data.begin(), io.data.end()), "abcdef");
}

TEST_F(DecodeExitTest, TheAnswerToAnInIsLeftInTheRunPage) {
  SetIo(KVM_EXIT_IO_IN, 4, 1, 4096);
  const IoExit io = DecodeAs<IoExit>();
  EXPECT_FALSE(io.is_write);
  ASSERT_EQ(io.data.size(), 4u);
  io.data[3] = 0x7e;
  EXPECT_EQ(page_[4096 + 3], 0x7e);
}

TEST_F(DecodeExitTest, DataMayEndWithThePageButNotPassIt) {
  SetIo(KVM_EXIT_IO_OUT, 1, 4096, 2 * 4096);
  EXPECT_EQ(DecodeAs<IoExit>().data.size(), 4096u);
  SetIo(KVM_EXIT_IO_OUT, 1, 4097, 2 * 4096);
  EXPECT_EQ(DecodeAs<UnhandledExit>().reason, uint32_t{KVM_EXIT_IO});
  SetIo(KVM_EXIT_IO_OUT, 4, 0xffffffff, 4096);
  DecodeAs<UnhandledExit>();
  SetIo(KVM_EXIT_IO_OUT, 1, 1, sizeof(page_));
  DecodeAs<UnhandledExit>();
  SetIo(KVM_EXIT_IO_OUT, 1, 1, ~uint64_t{0});
  DecodeAs<UnhandledExit>();
}

TEST_F(DecodeExitTest, AnElementIsOneTwoOrFourBytes) {
  for (const int size : {0, 3, 8, 255}) {
    SetIo(KVM_EXIT_IO_OUT, static_cast<uint8_t>(size), 1, 4096);
    DecodeAs<UnhandledExit>();
  }
}

TEST_F(DecodeExitTest, MmioIsOneToEightBytes) {
  run().exit_reason = KVM_EXIT_MMIO;
  run().mmio.phys_addr = 0xd0000004;
  run().mmio.is_write = 1;
  run().mmio.len = 8;
  run().mmio.data[7] = 0x99;
  const MmioExit mmio = DecodeAs<MmioExit>();
  EXPECT_EQ(mmio.address, 0xd0000004u);
  EXPECT_TRUE(mmio.is_write);
  ASSERT_EQ(mmio.data.size(), 8u);
  EXPECT_EQ(mmio.data[7], 0x99);
  for (const uint32_t length : {0u, 9u, 0xffffffffu}) {
    run().mmio.len = length;
    EXPECT_EQ(DecodeAs<UnhandledExit>().reason, uint32_t{KVM_EXIT_MMIO});
  }
}

TEST_F(DecodeExitTest, AnEmulationFailureHasTheInstructionBytes) {
  run().exit_reason = KVM_EXIT_INTERNAL_ERROR;
  auto& failure = run().emulation_failure;
  failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
  failure.ndata = 3;
  failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
  failure.insn_size = 3;
  std::memcpy(failure.insn_bytes, "\x0f\x01\xee", 3);
  InternalErrorExit error = DecodeAs<InternalErrorExit>();
  EXPECT_EQ(error.suberror, 1u);
  EXPECT_EQ(error.instruction, (std::vector<uint8_t>{0x0f, 0x01, 0xee}));
  EXPECT_TRUE(error.data.empty());
  failure.insn_size = 255;
  EXPECT_EQ(DecodeAs<InternalErrorExit>().instruction.size(), 15u) << "no instruction is longer";
}

TEST_F(DecodeExitTest, AnEmulationFailureWithoutBytesHasKvmsWords) {
  run().exit_reason = KVM_EXIT_INTERNAL_ERROR;
  run().internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
  run().internal.ndata = 1;
  run().internal.data[0] = 0;  // flags: no bytes
  const InternalErrorExit error = DecodeAs<InternalErrorExit>();
  EXPECT_TRUE(error.instruction.empty());
  EXPECT_EQ(error.data, (std::vector<uint64_t>{0}));
}

TEST_F(DecodeExitTest, AnyOtherInternalErrorHasUpToSixteenWords) {
  run().exit_reason = KVM_EXIT_INTERNAL_ERROR;
  run().internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
  run().internal.ndata = 4;
  for (int i = 0; i < 16; ++i)
    run().internal.data[i] = 0xff00u + static_cast<unsigned>(i);  // bit 0 of the first word is no flag here
  InternalErrorExit error = DecodeAs<InternalErrorExit>();
  EXPECT_EQ(error.suberror, 3u);
  EXPECT_EQ(error.data, (std::vector<uint64_t>{0xff00, 0xff01, 0xff02, 0xff03}));
  EXPECT_TRUE(error.instruction.empty());
  run().internal.ndata = 0xffffffff;
  EXPECT_EQ(DecodeAs<InternalErrorExit>().data.size(), 16u);
}

TEST_F(DecodeExitTest, AFailedEntryHasItsReasonAndHostCpu) {
  run().exit_reason = KVM_EXIT_FAIL_ENTRY;
  run().fail_entry.hardware_entry_failure_reason = 0x80000021;
  run().fail_entry.cpu = 7;
  const FailEntryExit exit = DecodeAs<FailEntryExit>();
  EXPECT_EQ(exit.hardware_reason, 0x80000021u);
  EXPECT_EQ(exit.cpu, 7u);
}

TEST_F(DecodeExitTest, ABreakpointHasItsPc) {
  run().exit_reason = KVM_EXIT_DEBUG;
  run().debug.arch.pc = 0xffffffff81234567;
  run().debug.arch.dr6 = 0xffff0ff1;
  const BreakpointExit exit = DecodeAs<BreakpointExit>();
  EXPECT_EQ(exit.pc, 0xffffffff81234567u);
  EXPECT_EQ(exit.dr6, 0xffff0ff1u);
}

TEST_F(DecodeExitTest, ExitsWithoutFieldsAreTheirKind) {
  run().exit_reason = KVM_EXIT_SHUTDOWN;
  DecodeAs<ShutdownExit>();
  run().exit_reason = KVM_EXIT_HLT;
  DecodeAs<HaltExit>();
  run().exit_reason = KVM_EXIT_INTR;
  DecodeAs<InterruptedExit>();
}

TEST_F(DecodeExitTest, AnyOtherExitKeepsItsNumber) {
  for (const uint32_t reason : {uint32_t{KVM_EXIT_UNKNOWN}, uint32_t{KVM_EXIT_SYSTEM_EVENT}, 0xfffffffeu}) {
    run().exit_reason = reason;
    EXPECT_EQ(DecodeAs<UnhandledExit>().reason, reason);
  }
}

}  // namespace
}  // namespace vmm
