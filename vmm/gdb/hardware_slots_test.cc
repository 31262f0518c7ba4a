#include "vmm/gdb/hardware_slots.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

using Kind = HardwareBreak::Kind;
using Breaks = std::vector<HardwareBreak>;

TEST(HardwareSlotsTest, AWatchedRangeIsSplitIntoAlignedParts) {
  HardwareSlots slots;
  ASSERT_TRUE(slots.Add(Kind::kWrite, 0x1003, 6).ok());
  EXPECT_EQ(slots.breaks(), (Breaks{{Kind::kWrite, 0x1003, 1}, {Kind::kWrite, 0x1004, 4}, {Kind::kWrite, 0x1008, 1}}));
  EXPECT_TRUE(slots.Remove(Kind::kWrite, 0x1003, 6));
  EXPECT_FALSE(slots.Remove(Kind::kWrite, 0x1003, 6));
  EXPECT_TRUE(slots.breaks().empty());
}

TEST(HardwareSlotsTest, TheFifthIsRefusedAndChangesNothing) {
  HardwareSlots slots;
  for (uint64_t at = 0; at < 3; ++at) ASSERT_TRUE(slots.Add(Kind::kExecute, at, 1).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(slots.Add(Kind::kAccess, 0x2000, 16)));
  EXPECT_TRUE(slots.Add(Kind::kExecute, 0, 1).ok()) << "the same again";
  EXPECT_TRUE(slots.Add(Kind::kExecute, 3, 1).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(slots.Add(Kind::kExecute, 4, 1)));
  EXPECT_EQ(slots.breaks().size(), 4u);
}

TEST(HardwareSlotsTest, NothingAndTooMuchCannotBeWatched) {
  HardwareSlots slots;
  EXPECT_TRUE(absl::IsInvalidArgument(slots.Add(Kind::kWrite, 0, 0)));
  EXPECT_TRUE(absl::IsInvalidArgument(slots.Add(Kind::kWrite, 0, ~uint64_t{0})));
}

}  // namespace
}  // namespace vmm
