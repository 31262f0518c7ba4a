#include "dump/kernel/backtrace.h"

#include <gmock/gmock.h>

#include "dump/kernel/kernel_view.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<uint64_t> Ips(const Backtrace& backtrace) {
  std::vector<uint64_t> ips;
  for (const StackFrame& frame : backtrace.frames) ips.push_back(frame.ip);
  return ips;
}

class BacktraceTest : public ::testing::Test {
 protected:
  void Make(MadeUpKernelOptions options = {}) { kernel_ = std::make_unique<MadeUpKernel>(options); }
  Backtrace Trace(size_t cpu) {
    const auto view = KernelView::Open(kernel_->guest().memory(), kernel_->Find());
    EXPECT_TRUE(view.ok()) << view.status();
    return (*view)->Unwind(kernel_->snapshot().cpus[cpu]);
  }

  using K = MadeUpKernel;
  std::unique_ptr<MadeUpKernel> kernel_;
};

TEST_F(BacktraceTest, OrcLeadsFromAModuleToUserMode) {
  for (const OrcLayout layout : kOrcLayouts) {
    SCOPED_TRACE(static_cast<int>(layout));
    Make({.orc_layout = layout});
    const Backtrace trace = Trace(0);
    EXPECT_THAT(Ips(trace), ElementsAre(K::kModule + 0x60, K::kPanic + 0x77, K::kCaller + 0x16, K::kSyscall + 0x5d,
                                        K::kEntry + 0x6e));
    EXPECT_EQ(trace.end, "user mode");
    ASSERT_TRUE(trace.user.has_value());
    EXPECT_EQ(trace.user->ip, 0x47b7a0u);
    EXPECT_EQ(trace.frames[1], (StackFrame{K::kPanic + 0x77, kernel_->rsp(0) + 8, false, false}));
  }
}

TEST_F(BacktraceTest, OrcPassesAnInterruptAndEndsWhereTheStackDoes) {
  for (const OrcLayout layout : kOrcLayouts) {
    SCOPED_TRACE(static_cast<int>(layout));
    Make({.orc_layout = layout});
    const Backtrace trace = Trace(1);
    EXPECT_THAT(Ips(trace), ElementsAre(K::kStop + 0x60, K::kInterrupt + 0x16, K::kIdle + 0xb, K::kStart + 0x2a));
    EXPECT_TRUE(trace.frames[2].interrupted);
    EXPECT_FALSE(trace.frames[3].interrupted);
    EXPECT_EQ(trace.end, "end of stack");
    EXPECT_FALSE(trace.user.has_value());
  }
}

TEST_F(BacktraceTest, ACallToNowhereShowsItsCaller) {
  Make();
  std::vector<CpuState>& cpus = kernel_->guest().snapshot().cpus;
  cpus[0].rip = 0;
  cpus[0].rsp = kernel_->rsp(0) + 8;  // the return address is on top
  const Backtrace trace = Trace(0);
  ASSERT_EQ(trace.frames.size(), 5u);
  EXPECT_EQ(trace.frames[0].ip, 0u);
  EXPECT_EQ(trace.frames[1].ip, K::kPanic + 0x77);
}

// In a crash kernel's /proc/vmcore, the CPU that panicked is in __crash_kexec(), which has no ORC data.
TEST_F(BacktraceTest, WhereOrcBreaksOffItGoesOnFromTheNextWordThatLeadsToTheEnd) {
  Make();
  kernel_->PutStack(kernel_->rsp(0) + 0x30, 0x1234);  // panic's return address
  const Backtrace trace = Trace(0);
  EXPECT_THAT(Ips(trace), ElementsAre(K::kModule + 0x60, K::kPanic + 0x77, K::kSyscall + 0x5d, K::kEntry + 0x6e));
  EXPECT_FALSE(trace.frames[1].guess);
  EXPECT_TRUE(trace.frames[2].guess);
  EXPECT_FALSE(trace.frames[3].guess);
  EXPECT_EQ(trace.end, "user mode");
  ASSERT_TRUE(trace.user.has_value());
  EXPECT_EQ(trace.user->ip, 0x47b7a0u);
}

TEST_F(BacktraceTest, WhatIsLeftOverOnTheStackAndLeadsNowhereIsPassedOver) {
  Make();
  kernel_->PutStack(kernel_->rsp(0) + 0x30, 0x1234);
  kernel_->PutStack(kernel_->rsp(0) + 0x38, K::kPanic + 0x10);
  const Backtrace trace = Trace(0);
  EXPECT_THAT(Ips(trace), ElementsAre(K::kModule + 0x60, K::kPanic + 0x77, K::kSyscall + 0x5d, K::kEntry + 0x6e));
}

TEST_F(BacktraceTest, WhereNoWordLeadsToTheEndTheRestIsGuessedAndSaidToBe) {
  Make();
  kernel_->PutStack(kernel_->rsp(0) + 0x30, 0x1234);
  const uint64_t entry = Trace(0).frames[3].at;
  kernel_->PutStack(entry, K::kPanic + 0x77);  // replaces entry_SYSCALL_64: no frame of panic is there
  const Backtrace trace = Trace(0);
  EXPECT_THAT(trace.end, HasSubstr("no code"));
  EXPECT_THAT(Ips(trace), ElementsAre(K::kModule + 0x60, K::kPanic + 0x77, K::kSyscall + 0x5d, K::kPanic + 0x77));
  EXPECT_FALSE(trace.frames[1].guess);
  EXPECT_TRUE(trace.frames[2].guess);
  EXPECT_TRUE(trace.frames[3].guess);
}

TEST_F(BacktraceTest, AStackThatLeadsBackToItselfEnds) {
  Make();
  const uint64_t sp = kernel_->rsp(1) + 0x20;  // the registers that the interrupt saved
  kernel_->PutStack(sp + offsetof(PtRegs, sp), kernel_->rsp(1) - 8);
  EXPECT_THAT(Trace(1).end, HasSubstr("does not grow"));
}

TEST_F(BacktraceTest, WithoutOrcFramePointersLead) {
  Make({.orc = false});
  std::vector<CpuState>& cpus = kernel_->guest().snapshot().cpus;
  const uint64_t frames = kernel_->rsp(0) + 0x400;
  cpus[0].rip = K::kPanic + 1;
  cpus[0].rbp = frames;
  kernel_->PutStack(frames, frames + 0x40);
  kernel_->PutStack(frames + 8, K::kCaller + 0x16);
  kernel_->PutStack(frames + 0x40, frames + 0x100 + 1);  // saved registers: entry code has marked the pointer to them
  kernel_->PutStack(frames + 0x48, K::kSyscall + 0x5d);
  kernel_->PutStack(frames + 0x100 + offsetof(PtRegs, ip), 0x47b7a0);
  kernel_->PutStack(frames + 0x100 + offsetof(PtRegs, cs), 0x33);
  const Backtrace trace = Trace(0);
  EXPECT_THAT(Ips(trace), ElementsAre(K::kPanic + 1, K::kCaller + 0x16, K::kSyscall + 0x5d));
  EXPECT_EQ(trace.end, "user mode");
}

TEST_F(BacktraceTest, ACpuInUserModeOrNeverStartedHasNoFrames) {
  Make();
  std::vector<CpuState>& cpus = kernel_->guest().snapshot().cpus;
  cpus[0].cs.selector = 0x33;
  EXPECT_THAT(Trace(0).frames, IsEmpty());
  EXPECT_EQ(Trace(0).end, "user mode");
  cpus[1].started = false;
  EXPECT_EQ(Trace(1).end, "never started");
}

TEST(OrcTableTest, AnEntryIsInChargeUntilTheNextOne) {
  MadeUpKernel kernel;
  const KernelMemory memory = kernel.memory();
  const OrcTable table(MadeUpKernel::kOrcIps, MadeUpKernel::kOrcEntries, 9, OrcLayout::kTypeAndEnd);
  EXPECT_EQ(table.Lookup(memory, MadeUpKernel::kPanic)->sp_offset, 0x28);
  EXPECT_EQ(table.Lookup(memory, MadeUpKernel::kCaller - 1)->sp_offset, 0x28);
  EXPECT_EQ(table.Lookup(memory, MadeUpKernel::kCaller)->sp_offset, 0x18);
  EXPECT_EQ(*table.Lookup(memory, MadeUpKernel::kSyscall),
            (OrcEntry{0x10, -0x10, OrcRegister::kSp, OrcRegister::kPrevSp, OrcType::kCall}));
  EXPECT_EQ(table.Lookup(memory, MadeUpKernel::kEntry)->type, OrcType::kRegs);
  EXPECT_EQ(table.Lookup(memory, MadeUpKernel::kStart)->type, OrcType::kEndOfStack);
  EXPECT_EQ(table.Lookup(memory, MadeUpKernel::kPanic - 1).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace vmm
