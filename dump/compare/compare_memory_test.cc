#include "dump/compare/compare_memory.h"

#include <gmock/gmock.h>

#include "base/guest_memory.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

GuestRange Range(uint64_t start, uint64_t size) { return {GuestAddr{start}, size}; }

std::unique_ptr<GuestMemory> Ram(std::vector<GuestRange> ranges) { return *GuestMemory::Create(ranges); }

void Put(GuestMemory& memory, uint64_t at) { ASSERT_TRUE(memory.WriteObject(GuestAddr{at}, uint64_t{0x5a}).ok()); }

TEST(CompareMemoryTest, PagesThatDifferAreRanges) {
  const auto a = Ram({Range(0, 8 << 20)}), b = Ram({Range(0, 8 << 20)});
  for (const uint64_t at : {0x5000, 0x5ff8, 0x6000, 0x200000}) Put(*a, at);
  for (const uint64_t at : {0x700000, 0x3ff000}) Put(*b, at);
  Put(*a, 0x9000);
  Put(*b, 0x9000);
  const MemoryDifference difference = *CompareMemory(*a, *b);
  EXPECT_THAT(difference.differ.ranges, ElementsAre(Range(0x5000, 0x2000), Range(0x200000, 0x1000),
                                                    Range(0x3ff000, 0x1000), Range(0x700000, 0x1000)));
  EXPECT_EQ(difference.differ.pages, 5u);
  EXPECT_EQ(difference.compared_pages, 2048u);
  EXPECT_LT(difference.read_pages, 20u) << "holes in both are not read";
  EXPECT_FALSE(difference.same());
}

TEST(CompareMemoryTest, ZerosThatWereWrittenAreTheSameAsAHole) {
  const auto a = Ram({Range(0, 1 << 20)}), b = Ram({Range(0, 1 << 20)});
  ASSERT_TRUE(a->WriteObject(GuestAddr{0x3000}, uint64_t{0}).ok());
  EXPECT_TRUE(CompareMemory(*a, *b)->same());
}

TEST(CompareMemoryTest, RamThatOnlyOneHasIsNamed) {
  const auto a = Ram({Range(0, 0xa0000), Range(0x100000, 0x100000), Range(1ull << 32, 0x1000)});
  const auto b = Ram({Range(0x1000, 0x180000)});
  const MemoryDifference difference = *CompareMemory(*a, *b);
  EXPECT_THAT(difference.only_a.ranges,
              ElementsAre(Range(0, 0x1000), Range(0x181000, 0x7f000), Range(1ull << 32, 0x1000)));
  EXPECT_THAT(difference.only_b.ranges, ElementsAre(Range(0xa0000, 0x60000)));
  EXPECT_THAT(difference.differ.ranges, IsEmpty());
  EXPECT_EQ(difference.compared_pages, 0x9fu + 0x81u);
}

}  // namespace
}  // namespace vmm
