#include "vmm/gdb/break_table.h"

#include <array>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "vmm/vcpu/testing/scripted_vcpu.h"

namespace vmm {
namespace {

using Reason = DebugStop::Reason;
using Kind = HardwareBreak::Kind;
using Bytes = std::array<uint8_t, 4>;
constexpr GuestAddr kPlace{0x1000};
constexpr Bytes kCode = {0x55, 0x48, 0x89, 0xe5};

struct InnerTraps : TrapHandler {
  bool Takes(const VcpuExit& exit) const override {
    return std::holds_alternative<IoExit>(exit) && std::get<IoExit>(exit).port == kCatchPort;
  }
  NextStep OnTrap(Vcpu&) override {
    ++traps;
    return NextStep::kStop;
  }
  void AfterExit(Vcpu&) override { ++exits; }
  void Remove() override { ++removes; }
  int traps = 0, exits = 0, removes = 0;
};

// A vCPU that keeps what a debugger wants of it.
class DebuggedVcpuTest : public testing::Test {
 protected:
  DebuggedVcpuTest() {
    memory_ = *GuestMemory::Create(std::array{GuestRange{GuestAddr{0}, 1 << 20}});
    EXPECT_TRUE(memory_->Write(kPlace, kCode).ok());
    table_ = std::make_unique<BreakTable>(*memory_, &inner_);
    table_->SetOnStop([this] { ++stops_; });
  }

  Bytes CodeNow() { return *memory_->ReadObject<Bytes>(kPlace); }
  void StopAt(uint64_t rip) { vcpu_.set_state({.rip = rip}); }

  std::unique_ptr<GuestMemory> memory_;
  InnerTraps inner_;
  std::unique_ptr<BreakTable> table_;
  ScriptedVcpu vcpu_;
  int stops_ = 0;
  std::array<uint8_t, 1> byte_{};
  const VcpuExit out_ = IoExit{.port = kCatchPort, .size = 1, .is_write = true, .data = byte_};
};

TEST_F(DebuggedVcpuTest, ABreakpointIsInTheCodeOnlyWhileTheGuestRuns) {
  ASSERT_TRUE(table_->Add(kPlace).ok());
  EXPECT_EQ(CodeNow(), kCode);
  table_->Plant();
  EXPECT_EQ(CodeNow(), (Bytes{0xe6, kCatchPort, 0x89, 0xe5}));
  table_->Hide();
  EXPECT_EQ(CodeNow(), kCode);
  table_->Plant();
  table_->Clear();
  EXPECT_EQ(CodeNow(), kCode);
  table_->Plant();
  EXPECT_EQ(CodeNow(), kCode) << "a cleared table has nothing to plant";
}

TEST_F(DebuggedVcpuTest, AVcpuThatMeetsItGoesBackToTheInstruction) {
  ASSERT_TRUE(table_->Add(kPlace).ok());
  table_->Plant();
  ASSERT_TRUE(table_->Takes(out_));
  StopAt(kPlace.value + 2);
  EXPECT_EQ(table_->OnTrap(vcpu_), NextStep::kResume);
  EXPECT_EQ(vcpu_.state().rip, kPlace.value);
  EXPECT_EQ(stops_, 1);
  EXPECT_EQ(table_->TakeStop(), (DebugStop{.reason = Reason::kSoftware, .vcpu = 0, .address = kPlace.value}));
  EXPECT_FALSE(table_->TakeStop().has_value());
  EXPECT_EQ(inner_.traps, 0);
}

TEST_F(DebuggedVcpuTest, AnOutAtAnotherPlaceBelongsToTheOtherOwner) {
  ASSERT_TRUE(table_->Add(kPlace).ok());
  table_->Plant();
  StopAt(0x2002);
  EXPECT_EQ(table_->OnTrap(vcpu_), NextStep::kStop);
  EXPECT_EQ(inner_.traps, 1);
  EXPECT_EQ(vcpu_.state().rip, 0x2002u);
  EXPECT_EQ(stops_, 0);
}

TEST_F(DebuggedVcpuTest, OnAPlaceThatIsCaughtTooBothGetTheirTurn) {
  ASSERT_TRUE(table_->Add(kPlace).ok());
  ASSERT_TRUE(memory_->Write(kPlace, kPlantedOut).ok());  // the catch's, put back first
  table_->Plant();
  StopAt(kPlace.value + 2);
  table_->OnTrap(vcpu_);
  EXPECT_EQ(stops_, 1);
  table_->Hide();
  EXPECT_EQ(CodeNow()[0], kPlantedOut[0]) << "the catch's instruction stays";
  table_->Remove(kPlace);
  StopAt(kPlace.value + 2);
  EXPECT_EQ(table_->OnTrap(vcpu_), NextStep::kStop);
  EXPECT_EQ(inner_.traps, 1);
}

TEST_F(DebuggedVcpuTest, TwoBreakpointsCannotShareAByte) {
  ASSERT_TRUE(table_->Add(kPlace).ok());
  EXPECT_TRUE(table_->Add(kPlace).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(table_->Add(GuestAddr{kPlace.value + 1})));
  EXPECT_TRUE(absl::IsInvalidArgument(table_->Add(GuestAddr{0x1fff})));
  EXPECT_FALSE(table_->Add(GuestAddr{1ull << 40}).ok());
}

TEST_F(DebuggedVcpuTest, CodeThatTheGuestChangedMeanwhileStaysChanged) {
  ASSERT_TRUE(table_->Add(kPlace).ok());
  table_->Plant();
  const Bytes patched = {0x0f, 0x1f, 0x44, 0x00};
  ASSERT_TRUE(memory_->Write(kPlace, patched).ok());
  table_->Hide();
  EXPECT_EQ(CodeNow(), patched);
}

TEST_F(DebuggedVcpuTest, AStepIsTheVcpusThatWasAskedForOne) {
  table_->SetStep(1, /*block_interrupts=*/true);
  EXPECT_EQ(table_->DebugOf(0), GuestDebug{});
  EXPECT_EQ(table_->DebugOf(1), (GuestDebug{.step = true, .block_interrupts = true}));
  ScriptedVcpu steps(1);
  EXPECT_TRUE(table_->Takes(BreakpointExit{}));
  table_->OnBreakpoint(steps, {.pc = 0x1001, .dr6 = 1 << 14});
  EXPECT_EQ(table_->TakeStop(), (DebugStop{.reason = Reason::kStep, .vcpu = 1, .address = 0x1001}));
}

TEST_F(DebuggedVcpuTest, AWatchpointsStopIsKeptUntilItIsTaken) {
  table_->SetHardware({{Kind::kExecute, 0x1000, 1}, {Kind::kWrite, 0x2000, 4}});
  table_->OnBreakpoint(vcpu_, {.pc = 0x1000, .dr6 = 1});
  ScriptedVcpu other(1);
  table_->OnBreakpoint(other, {.pc = 0x1100, .dr6 = 2});
  EXPECT_EQ(table_->TakeStop()->reason, Reason::kHardware);
  EXPECT_TRUE(table_->has_stop());
  EXPECT_EQ(table_->TakeStop(),
            (DebugStop{.reason = Reason::kWatch, .vcpu = 1, .address = 0x2000, .kind = Kind::kWrite}));
}

TEST_F(DebuggedVcpuTest, ATrapOfTheGuestsOwnStopsNothing) {
  table_->OnBreakpoint(vcpu_, {.pc = 0x1000, .dr6 = 1 << 14});
  table_->SetHardware({{Kind::kExecute, 0x1000, 1}});
  table_->OnBreakpoint(vcpu_, {.pc = 0x1234, .dr6 = 1 << 14});
  EXPECT_EQ(stops_, 0);
}

}  // namespace
}  // namespace vmm
