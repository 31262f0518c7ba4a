#include "vmm/kvm/guest_debug_ioctl.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

using Kind = HardwareBreak::Kind;

TEST(GuestDebugTest, WithoutAWishTheGuestHasItsDebugRegistersBack) {
  const kvm_guest_debug request = ToKvm({.block_interrupts = true});
  EXPECT_EQ(request.control, 0u) << "the enable bit alone would keep them from it";
  EXPECT_EQ(request.arch.debugreg[7], 0u);
}

TEST(GuestDebugTest, AStepBlocksInterruptsWhereThatWorks) {
  EXPECT_EQ(ToKvm({.step = true}).control, uint32_t{KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP});
  EXPECT_EQ(ToKvm({.step = true, .block_interrupts = true}).control,
            uint32_t{KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | kGuestDebugBlockIrq});
}

TEST(GuestDebugTest, EachBreakpointHasItsRegisterItsKindAndItsLength) {
  const kvm_guest_debug request = ToKvm({.breaks = {{Kind::kExecute, 0xffffffff81000000, 1},
                                                    {Kind::kWrite, 0x1000, 8},
                                                    {Kind::kAccess, 0x2002, 2},
                                                    {Kind::kWrite, 0x3004, 4}}});
  EXPECT_EQ(request.control, uint32_t{KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP});
  EXPECT_EQ(request.arch.debugreg[0], 0xffffffff81000000);
  EXPECT_EQ(request.arch.debugreg[3], 0x3004u);
  // Lengths 4, 2, 8 and 1 with their kinds, then exact, and four global enable bits.
  EXPECT_EQ(request.arch.debugreg[7], 0xd79006aau);
}

}  // namespace
}  // namespace vmm
