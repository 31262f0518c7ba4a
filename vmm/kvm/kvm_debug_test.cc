// The host's own KVM under a debugger's requests.
#include <cstring>

#include "gtest/gtest.h"
#include "vmm/kvm/debug_trial.h"
#include "vmm/kvm/testing/tiny_guest.h"

namespace vmm {
namespace {

using KvmDebugTest = TinyGuestTest;

TEST_F(KvmDebugTest, WhatTheTrialFoundWorksInAnotherMachineToo) {
  const absl::StatusOr<DebugAbilities> abilities = TryDebug(*kvm_);
  ASSERT_TRUE(abilities.ok()) << abilities.status();
  CreateVm();
  StartLongMode({0x90,          // nop
                 0xb0, 0x01,    // mov al, 1
                 0xe6, 0xe9});  // out 0xe9, al
  if (abilities->step) {
    ASSERT_TRUE(vcpu().SetDebug({.step = true, .block_interrupts = abilities->block_interrupts}).ok());
    EXPECT_EQ(NextAs<BreakpointExit>().pc, kCode.value + 1);
    EXPECT_EQ(NextAs<BreakpointExit>().pc, kCode.value + 3);
    ASSERT_TRUE(vcpu().SetDebug({}).ok());
  }
  EXPECT_EQ(NextAs<IoExit>().port, 0xe9) << "the step is over";
}

TEST_F(KvmDebugTest, RegistersChangeAndTheVcpuStillWaits) {
  CreateVm(2);
  Vcpu& waits = vm_->vcpu(1);
  CpuState state = *waits.ReadState();
  ASSERT_FALSE(state.started);
  state.rbx = 0x1122334455667788;
  ASSERT_TRUE(waits.WriteRegisters(state).ok());
  EXPECT_EQ(waits.ReadState()->rbx, 0x1122334455667788u);
  EXPECT_FALSE(waits.ReadState()->started);
}

TEST_F(KvmDebugTest, TheFloatingPointRegistersKeepWhatIsWritten) {
  CreateVm();
  absl::StatusOr<FpuState> fpu = vcpu().ReadFpu();
  ASSERT_TRUE(fpu.ok()) << fpu.status();
  fpu->mxcsr = 0x1f80;  // before the guest runs, some KVMs show it as 0
  fpu->xmm[3] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  ASSERT_TRUE(vcpu().WriteFpu(*fpu).ok());
  EXPECT_EQ(vcpu().ReadFpu()->xmm[3], fpu->xmm[3]);
}

}  // namespace
}  // namespace vmm
