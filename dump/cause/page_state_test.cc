#include "dump/cause/page_state.h"

#include <gmock/gmock.h>

#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<PageState> Read(LinuxGuest& guest, uint64_t vaddr) {
  return ReadPageState(guest.memory(), guest.swapper().value, 4, vaddr);
}

TEST(PageStateTest, AMappedPageHasItsPhysicalAddressAndRights) {
  LinuxGuest guest;
  constexpr uint64_t kPage = 0xffffc90000100000;
  guest.Map(guest.swapper(), kPage, GuestAddr{0x2a00000}, kPageSize);
  const auto state = Read(guest, kPage + 0x123);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->present);
  EXPECT_EQ(state->level, 1);
  EXPECT_EQ(state->physical, 0x2a00123u);
  EXPECT_THAT(state->Words(), HasSubstr("present"));
}

TEST(PageStateTest, RightsAreThoseThatAllLevelsGrant) {
  LinuxGuest guest;
  constexpr uint64_t kPage = 0xffffc90000100000;
  guest.Map(guest.swapper(), kPage, GuestAddr{0x2a00000}, kPageSize);
  for (int level = 4; level >= 2; --level) {
    const GuestAddr at = guest.EntryAddress(guest.swapper(), kPage, level);
    guest.PutWord(at, *guest.memory().ReadObject<uint64_t>(at) | 7);
  }
  guest.PutWord(guest.EntryAddress(guest.swapper(), kPage, 1), 0x2a00000 | 1 | 1ull << 63);
  const auto state = Read(guest, kPage);
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->writable);
  EXPECT_FALSE(state->user);
  EXPECT_FALSE(state->executable);
  EXPECT_EQ(state->Words(), "present, read-only, kernel, no-execute");
}

TEST(PageStateTest, AnAbsentPageNamesTheLevelThatEndsTheWalk) {
  LinuxGuest guest;
  const auto state = Read(guest, 0x20);
  ASSERT_TRUE(state.ok());
  EXPECT_FALSE(state->present);
  EXPECT_EQ(state->level, 4);
  EXPECT_EQ(state->Words(), "not present (level 4 entry 0)");
}

TEST(PageStateTest, ATableOutsideRamIsAnError) {
  LinuxGuest guest;
  EXPECT_FALSE(ReadPageState(guest.memory(), 1ull << 45, 4, 0x20).ok());
}

}  // namespace
}  // namespace vmm
