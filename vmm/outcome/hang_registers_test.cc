#include "vmm/outcome/hang_registers.h"

#include "dump/testing/linux_guest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kHung = 0xffffffff81000010, kPanicking = 0xffffffff81000200;

CpuState At(uint64_t rip) {
  CpuState cpu{.rip = rip};
  cpu.cr0 = 0x80050033;
  return cpu;
}

CpuState AtReset() {
  CpuState cpu{.rip = 0xfff0};
  cpu.cs = {.selector = 0xf000, .base = 0xffff0000};
  cpu.cr0 = 0x60000010;
  return cpu;
}

class HangRegistersTest : public testing::Test {
 protected:
  void PutBack(PanicSource source, bool console_panicked = false) {
    PutBackDestroyedRegisters(PanicEvent{.source = source, .vcpu = 0}, console_panicked, note_, states_);
  }

  HangRegistersNote note_{.nmi_vcpu = 0, .before = {At(kHung), At(kHung + 1)}};
  std::vector<absl::StatusOr<CpuState>> states_{AtReset(), At(kPanicking)};
};

TEST_F(HangRegistersTest, AVcpuThatTheNmiDestroyedGetsItsRegistersBackAndTheOtherKeepsItsOwn) {
  PutBack(PanicSource::kTripleFault);
  EXPECT_EQ(note_.destroyed, 0);
  EXPECT_EQ(states_[0]->rip, kHung);
  EXPECT_EQ(states_[1]->rip, kPanicking);
}

TEST_F(HangRegistersTest, SoDoesOneWhoseRegistersAreStillThereOrCannotBeRead) {
  states_[0] = At(kHung + 8);
  PutBack(PanicSource::kTripleFault);
  EXPECT_EQ(states_[0]->rip, kHung);
  states_[0] = absl::InternalError("KVM_GET_REGS");
  PutBack(PanicSource::kInternalError);
  ASSERT_TRUE(states_[0].ok());
  EXPECT_EQ(states_[0]->rip, kHung);
}

TEST_F(HangRegistersTest, APanicOfTheKernelsKeepsItsOwnRegisters) {
  for (const PanicSource source : {PanicSource::kPvpanic, PanicSource::kTrap, PanicSource::kConsole}) {
    states_[0] = At(kPanicking);
    PutBack(source);
    EXPECT_EQ(note_.destroyed, -1);
    EXPECT_EQ(states_[0]->rip, kPanicking);
  }
}

TEST_F(HangRegistersTest, ATripleFaultByWhichAPanickedKernelResetsTheMachineKeepsThemWhereTheyAreLeft) {
  states_[0] = At(kPanicking);
  PutBack(PanicSource::kTripleFault, /*console_panicked=*/true);
  EXPECT_EQ(note_.destroyed, -1);
  EXPECT_EQ(states_[0]->rip, kPanicking);
  states_[0] = AtReset();
  PutBack(PanicSource::kTripleFault, /*console_panicked=*/true);
  EXPECT_EQ(states_[0]->rip, kHung) << "those at the end are lost";
}

TEST_F(HangRegistersTest, WithoutAnNmiOrAPanicNothingIsPutBack) {
  PutBackDestroyedRegisters(std::nullopt, false, note_, states_);
  EXPECT_EQ(states_[0]->rip, 0xfff0u);
  note_.nmi_vcpu = -1;
  PutBack(PanicSource::kTripleFault);
  EXPECT_EQ(note_.destroyed, -1);
  EXPECT_EQ(states_[0]->rip, 0xfff0u);
}

TEST_F(HangRegistersTest, OneThatHadNotAnsweredIsDestroyedAndHasNoneToGetBack) {
  note_.before[0] = std::nullopt;
  PutBack(PanicSource::kTripleFault);
  EXPECT_EQ(note_.destroyed, 0);
  EXPECT_EQ(states_[0]->rip, 0xfff0u);
}

TEST_F(HangRegistersTest, AGuestWithoutSymbolsHasNoPlaces) {
  LinuxGuest guest;
  HangRegisters registers{.note = note_};
  NamePlaces(guest.snapshot(), FindKernel(guest.snapshot()), nullptr, registers);
  EXPECT_THAT(registers.places, testing::ElementsAre("", ""));
}

}  // namespace
}  // namespace vmm
