#include "vmm/outcome/fault_site.h"

#include <string>

#include "dump/testing/linux_guest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kAt = LinuxGuest::kText + 0x1000;

// A vCPU of the synthetic guest, in its kernel, on its stack, with an IDT that exists.
class FaultSiteTest : public testing::Test {
 protected:
  FaultSiteTest() {
    guest_.Put(GuestAddr{LinuxGuest::kImagePhys + 0x1000}, "\x0f\x0b\x90");
    cpu_ = guest_.snapshot().cpus[0];
    cpu_.rip = kAt;
    cpu_.rsp = guest_.stack(0) + 0x1000;
    cpu_.idt = {.base = LinuxGuest::kText + 0x2000, .limit = 0xfff};
  }

  FaultSite Describe() { return DescribeFault(0, cpu_, guest_.memory()); }

  LinuxGuest guest_;
  CpuState cpu_;
};

TEST_F(FaultSiteTest, TheInstructionIsReadByTheGuestsPageTables) {
  const FaultSite site = Describe();
  ASSERT_EQ(site.instruction.size(), 15u);
  EXPECT_EQ(site.instruction[0], 0x0f);
  EXPECT_EQ(site.instruction[1], 0x0b);
  EXPECT_THAT(site.reasons, IsEmpty());
  EXPECT_FALSE(site.registers_lost);
}

TEST_F(FaultSiteTest, AnIdtWithoutGatesIsTheReason) {
  cpu_.idt.limit = 0;
  EXPECT_THAT(Describe().reasons, ElementsAre("the IDT ends (limit 0) before the gate of the double fault"));
}

TEST_F(FaultSiteTest, AnIdtThatIsNotThereIsTheReason) {
  cpu_.idt.base = 0xffffc00000000000;
  EXPECT_THAT(Describe().reasons, ElementsAre(HasSubstr("no memory at the IDT")));
}

TEST_F(FaultSiteTest, AStackThatEndedIsTheReason) {
  cpu_.rsp = guest_.stack(0);
  EXPECT_THAT(Describe().reasons, ElementsAre(HasSubstr("a stack that overflowed?")));
}

TEST_F(FaultSiteTest, AJumpToNowhereIsTheReason) {
  cpu_.rip = 0x1234;
  const FaultSite site = Describe();
  EXPECT_THAT(site.instruction, IsEmpty());
  EXPECT_THAT(site.reasons, ElementsAre("there is no memory at RIP 0x1234"));
}

TEST_F(FaultSiteTest, PageTablesOutsideOfMemoryAreRead) {
  cpu_.cr3 = 0x000ffffffffff000;
  EXPECT_THAT(Describe().instruction, IsEmpty());
}

TEST_F(FaultSiteTest, RegistersThatTheHostHasResetAreNotTakenForTheGuests) {
  CpuState reset;
  reset.rip = 0xfff0;
  reset.cs = {.selector = 0xf000, .base = 0xffff0000};
  reset.cr0 = 0x60000010;
  cpu_ = reset;
  const FaultSite site = Describe();
  EXPECT_TRUE(site.registers_lost);
  EXPECT_THAT(site.instruction, IsEmpty());
  EXPECT_THAT(site.reasons, ElementsAre(HasSubstr("this host's KVM has not kept what they were")));
}

TEST_F(FaultSiteTest, WithoutPagingTheCodeSegmentSaysWhere) {
  cpu_.cr0 = 1;
  cpu_.efer = 0;
  cpu_.cs.base = LinuxGuest::kImagePhys;
  cpu_.rip = 0x1000;
  EXPECT_EQ(Describe().instruction[1], 0x0b);
}

}  // namespace
}  // namespace vmm
