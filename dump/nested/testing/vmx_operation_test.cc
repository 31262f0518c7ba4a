#include "dump/nested/testing/vmx_operation.h"

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using enum VmInstructionError;

constexpr uint64_t kVmxon = 0x1000;
constexpr uint64_t kFirst = 0x2000;
constexpr uint64_t kSecond = 0x3000;
constexpr uint64_t kGuestRip = 0x681e;

class VmxOperationTest : public ::testing::Test {
 protected:
  VmxOperationTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
    memory_ = *GuestMemory::Create(ranges);
    for (const uint64_t at : {kVmxon, kFirst, kSecond}) PutRevision(at, kVmcs12Revision);
    cpu_ = std::make_unique<VmxOperation>(*memory_);
    EXPECT_TRUE(cpu_->Vmxon(kVmxon).ok());
  }

  void PutRevision(uint64_t at, uint32_t revision) { ASSERT_TRUE(memory_->WriteObject(GuestAddr{at}, revision).ok()); }
  Vmcs12 InMemory(uint64_t at) { return *memory_->ReadObject<Vmcs12>(GuestAddr{at}); }

  // Loads a VMCS that a real KVM entered: puts it at kFirst and makes it current.
  void LoadRealVmcs() {
    const std::vector<uint8_t> blob = Fixture("vmx-plain-F1-inL2.bin");
    ASSERT_TRUE(memory_->Write(GuestAddr{kFirst}, std::span(blob).subspan(128)).ok());
    ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  }

  std::unique_ptr<GuestMemory> memory_;
  std::unique_ptr<VmxOperation> cpu_;
};

TEST_F(VmxOperationTest, WithoutACurrentVmcsThereIsNowhereToPutAnError) {
  uint64_t value = 0;
  EXPECT_EQ(VmxResult::FailInvalid(), cpu_->Vmread(kGuestRip, &value));
  EXPECT_EQ(VmxResult::FailInvalid(), cpu_->Vmwrite(kGuestRip, 1));
  EXPECT_EQ(VmxResult::FailInvalid(), cpu_->Vmlaunch());
  EXPECT_EQ(VmxResult::FailInvalid(), cpu_->Vmptrld(0x2001));
  EXPECT_EQ(kNoVmcs, cpu_->Vmptrst());
}

TEST_F(VmxOperationTest, VmxonTakesAPageWithTheRevisionOnce) {
  VmxOperation fresh(*memory_);
  EXPECT_EQ(VmxResult::FailInvalid(), fresh.Vmptrld(kFirst)) << "before VMXON";
  EXPECT_EQ(VmxResult::FailInvalid(), fresh.Vmxon(0x1008));
  EXPECT_EQ(VmxResult::FailInvalid(), fresh.Vmxon(0x4000)) << "no revision";
  EXPECT_EQ(VmxResult::FailInvalid(), fresh.Vmxon(1ull << 40)) << "no such address";
  EXPECT_TRUE(fresh.Vmxon(kVmxon).ok());
  ASSERT_TRUE(fresh.Vmptrld(kFirst).ok());
  EXPECT_EQ(VmxResult::FailValid(kVmxonInRoot), fresh.Vmxon(kVmxon));
}

TEST_F(VmxOperationTest, VmptrldRefusesWhatIsNoVmcs) {
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  EXPECT_EQ(VmxResult::FailValid(kVmptrldBadAddress), cpu_->Vmptrld(kSecond + 8));
  EXPECT_EQ(VmxResult::FailValid(kVmptrldBadAddress), cpu_->Vmptrld(1ull << 40));
  EXPECT_EQ(VmxResult::FailValid(kVmptrldVmxonPointer), cpu_->Vmptrld(kVmxon));
  EXPECT_EQ(VmxResult::FailValid(kVmptrldWrongRevision), cpu_->Vmptrld(0x4000));
  EXPECT_EQ(VmxResult::FailValid(kVmptrldWrongRevision), cpu_->Vmptrld(0x10000000)) << "no memory";
  EXPECT_EQ(kFirst, cpu_->Vmptrst());
  EXPECT_EQ(11u, cpu_->current().vmcs12().vm_instruction_error);
}

TEST_F(VmxOperationTest, AShadowVmcsIsLoadedOnlyWhereThereIsShadowingAndNeverEntered) {
  PutRevision(kSecond, kVmcs12Revision | kVmcsShadowBit);
  EXPECT_FALSE(cpu_->Vmptrld(kSecond).ok());
  VmxOperation shadowing(*memory_, {.vmcs_shadowing = true});
  ASSERT_TRUE(shadowing.Vmxon(kVmxon).ok());
  ASSERT_TRUE(shadowing.Vmptrld(kSecond).ok());
  EXPECT_TRUE(shadowing.Vmwrite(kGuestRip, 1).ok());
  EXPECT_EQ(VmxResult::FailInvalid(), shadowing.Vmlaunch());
}

TEST_F(VmxOperationTest, ThePageOfTheCurrentVmcsIsStale) {
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  ASSERT_TRUE(cpu_->Vmwrite(kGuestRip, 0x1234).ok());
  EXPECT_EQ(0u, InMemory(kFirst).guest_rip);
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok()) << "loading it again is nothing";
  EXPECT_EQ(0u, InMemory(kFirst).guest_rip);
  EXPECT_EQ(0x1234u, cpu_->current().vmcs12().guest_rip);
}

TEST_F(VmxOperationTest, VmptrldOfAnotherWritesThePage) {
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  ASSERT_TRUE(cpu_->Vmwrite(kGuestRip, 0x1234).ok());
  ASSERT_TRUE(cpu_->Vmptrld(kSecond).ok());
  EXPECT_EQ(0x1234u, InMemory(kFirst).guest_rip);
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  uint64_t value = 0;
  ASSERT_TRUE(cpu_->Vmread(kGuestRip, &value).ok());
  EXPECT_EQ(0x1234u, value);
}

TEST_F(VmxOperationTest, VmclearOfTheCurrentVmcsWritesThePageAndEndsIt) {
  LoadRealVmcs();
  ASSERT_TRUE(cpu_->Vmlaunch().ok());
  cpu_->VmExit(18, 0);
  ASSERT_TRUE(cpu_->Vmclear(kFirst).ok());
  EXPECT_EQ(kNoVmcs, cpu_->Vmptrst());
  EXPECT_EQ(18u, InMemory(kFirst).vm_exit_reason);
  EXPECT_EQ(VmcsRegion::kClear, InMemory(kFirst).launch_state);
}

TEST_F(VmxOperationTest, VmclearOfAnotherClearsItInMemory) {
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  ASSERT_TRUE(memory_->WriteObject(GuestAddr{kSecond + 8}, VmcsRegion::kLaunched).ok());
  ASSERT_TRUE(cpu_->Vmclear(kSecond).ok());
  EXPECT_EQ(VmcsRegion::kClear, InMemory(kSecond).launch_state);
  EXPECT_EQ(kFirst, cpu_->Vmptrst());
}

TEST_F(VmxOperationTest, VmclearRefusesWhatCannotBeAVmcs) {
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  EXPECT_EQ(VmxResult::FailValid(kVmclearBadAddress), cpu_->Vmclear(kSecond + 1));
  EXPECT_EQ(VmxResult::FailValid(kVmclearVmxonPointer), cpu_->Vmclear(kVmxon));
}

TEST_F(VmxOperationTest, VmxoffWritesNothing) {
  ASSERT_TRUE(cpu_->Vmptrld(kFirst).ok());
  ASSERT_TRUE(cpu_->Vmwrite(kGuestRip, 0x1234).ok());
  ASSERT_TRUE(cpu_->Vmxoff().ok());
  EXPECT_EQ(0u, InMemory(kFirst).guest_rip);
  EXPECT_FALSE(cpu_->vmx_on());
  EXPECT_EQ(kNoVmcs, cpu_->Vmptrst());
}

TEST_F(VmxOperationTest, ARealGuestIsLaunchedOnceAndThenResumed) {
  LoadRealVmcs();
  EXPECT_EQ(VmxResult::FailValid(kVmresumeNotLaunched), cpu_->Vmresume());
  ASSERT_TRUE(cpu_->Vmlaunch().ok());
  EXPECT_TRUE(cpu_->guest_mode());
  EXPECT_EQ(VmcsRegion::kClear, cpu_->current().launch_state()) << "as in the blob that a real KVM gave out here";
  cpu_->VmExit(18, 0);
  EXPECT_FALSE(cpu_->guest_mode());
  EXPECT_EQ(VmxResult::FailValid(kVmlaunchNotClear), cpu_->Vmlaunch());
  EXPECT_TRUE(cpu_->Vmresume().ok());
}

TEST_F(VmxOperationTest, BadControlsBadHostStateAndBadGuestStateAreToldApart) {
  LoadRealVmcs();
  ASSERT_TRUE(cpu_->Vmwrite(0x4000, 0).ok());
  EXPECT_EQ(VmxResult::FailValid(kEntryBadControl), cpu_->Vmlaunch());
  ASSERT_TRUE(cpu_->Vmwrite(0x4000, 0x16).ok());
  ASSERT_TRUE(cpu_->Vmwrite(0x0c02, 0).ok());
  EXPECT_EQ(VmxResult::FailValid(kEntryBadHostState), cpu_->Vmlaunch());
  ASSERT_TRUE(cpu_->Vmwrite(0x0c02, 8).ok());
  ASSERT_TRUE(cpu_->Vmwrite(0x4826, 9).ok());
  EXPECT_TRUE(cpu_->Vmlaunch().ok()) << "bad guest state is a VM exit";
  EXPECT_FALSE(cpu_->guest_mode());
  EXPECT_EQ(0x80000021u, cpu_->current().vmcs12().vm_exit_reason);
  EXPECT_EQ(VmcsRegion::kClear, cpu_->current().launch_state());
}

// Replays the instructions that L1 gave to a real CPU.
TEST(VmxOperationReplayTest, GivesTheStatesThatARealKvmGave) {
  const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
  const auto memory = *GuestMemory::Create(ranges);
  for (const uint64_t at : {kVmxon, kFirst}) ASSERT_TRUE(memory->WriteObject(GuestAddr{at}, kVmcs12Revision).ok());
  VmxOperation cpu(*memory, {.layout = Vmcs12Layout::kFrozen});
  const auto expect_state = [&](const char* name) {
    const auto state = cpu.GetNestedState();
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(Fixture(name), std::vector<uint8_t>(state->bytes().begin(), state->bytes().end())) << name;
  };
  expect_state("vmx-plain-0-fresh.bin");
  ASSERT_TRUE(cpu.Vmxon(kVmxon).ok());
  expect_state("vmx-plain-A-vmxon.bin");
  ASSERT_TRUE(cpu.Vmclear(kFirst).ok());
  ASSERT_TRUE(cpu.Vmptrld(kFirst).ok());
  expect_state("vmx-plain-B-vmptrld.bin");

  // Every encoding is tried, and each field has its pattern (testdata/README.md).
  for (uint64_t width = 0; width < 4; ++width) {
    for (uint64_t type = 0; type < 4; ++type) {
      for (uint64_t index = 0; index < 32; ++index) {
        const uint64_t n = 1 + 128 * width + 32 * type + index;
        const uint64_t encoding = width << 13 | type << 10 | index << 1;
        const uint64_t low = 0x77660000 | n;
        const uint64_t patterns[] = {0xc000 | n, low, 0x5a5a0000 | n, 0x5a5a5a5a00000000 | n << 40 | low};
        (void)cpu.Vmwrite(encoding, patterns[width]);
        if (width == 1) (void)cpu.Vmwrite(encoding | 1, 0x12340000 | n);
      }
    }
  }
  expect_state("vmx-plain-C-pattern.bin");
  ASSERT_TRUE(cpu.Vmclear(kFirst).ok());
  expect_state("vmx-plain-D-vmclear.bin");
}

TEST_F(VmxOperationTest, AStateThatARealKvmGaveGoesOnHere) {
  const auto state = NestedState::Parse(Fixture("vmx-plain-F1-inL2.bin"));
  ASSERT_TRUE(state.ok());
  VmxOperation restored(*memory_);
  ASSERT_TRUE(restored.SetNestedState(*state).ok());
  EXPECT_TRUE(restored.guest_mode());
  EXPECT_EQ(kVmxon, restored.vmxon_pointer());
  EXPECT_EQ(kFirst, restored.Vmptrst());
  restored.VmExit(48, 0x181);
  EXPECT_EQ(VmxResult::FailValid(kVmlaunchNotClear), restored.Vmlaunch());
  EXPECT_TRUE(restored.Vmresume().ok());
}

TEST_F(VmxOperationTest, AShadowVmcsGoesIntoTheStateWhileL2Runs) {
  LoadRealVmcs();
  ASSERT_TRUE(cpu_->Vmwrite(0x401e, 2 | 1 << 14).ok());
  ASSERT_TRUE(cpu_->Vmwrite(0x2800, kSecond).ok());
  PutRevision(kSecond, kVmcs12Revision | kVmcsShadowBit);
  EXPECT_EQ(kNestedOnePage, cpu_->GetNestedState()->bytes().size());
  ASSERT_TRUE(cpu_->Vmlaunch().ok());
  ASSERT_TRUE(cpu_->guest_mode());
  const auto state = cpu_->GetNestedState();
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(kNestedTwoPages, state->bytes().size());
  VmxOperation restored(*memory_);
  EXPECT_TRUE(restored.SetNestedState(*state).ok());
  PutRevision(kSecond, 0);
  VmxOperation too_early(*memory_);
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, too_early.SetNestedState(*state).code());
  EXPECT_FALSE(too_early.vmx_on());
}

}  // namespace
}  // namespace vmm
