#include "dump/paging/page_tables.h"

#include <random>
#include <vector>

#include "base/guest_memory.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kTable = 0x1;   // present
constexpr uint64_t kLarge = 0x81;  // present, page size
constexpr uint64_t kNoExecute = 1ull << 63;
constexpr GuestAddr kRoot{0x1000};
constexpr uint64_t kKernelHalf = 0xffff800000000000;
constexpr uint64_t kTop = 0xffffffffffffffff;

class PageTablesTest : public ::testing::Test {
 protected:
  PageTablesTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
    memory_ = *GuestMemory::Create(ranges);
  }

  void Put(uint64_t table, int index, uint64_t entry) {
    ASSERT_TRUE(memory_->WriteObject(GuestAddr{table + 8 * static_cast<uint64_t>(index)}, entry).ok());
  }

  struct Seen {
    uint64_t vaddr, phys, size;
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> Walk(int levels, uint64_t first = kKernelHalf, uint64_t last = kTop, size_t limit = 100000) {
    std::vector<Seen> seen;
    PageTables(*memory_, kRoot, levels).ForEachMapping(first, last, [&](const PageMapping& page) {
      seen.push_back({page.vaddr, page.phys.value, page.size});
      return seen.size() < limit;
    });
    return seen;
  }

  // 4 levels: 0xffff800000000000 -> a 4 KiB page, a 2 MiB page, a 1 GiB page.
  void MapOneOfEachSize() {
    Put(0x1000, 256, 0x2000 | kTable);
    Put(0x2000, 0, 0x3000 | kTable);
    Put(0x2000, 1, 0x40000000 | kLarge | kNoExecute);
    Put(0x3000, 0, 0x4000 | kTable);
    Put(0x3000, 1, 0x200000 | kLarge | 0x1000);  // PAT, which is not an address bit
    Put(0x4000, 5, 0x77000 | kTable | kNoExecute);
  }

  std::unique_ptr<GuestMemory> memory_;
};

TEST_F(PageTablesTest, EachPageSizeIsTranslated) {
  MapOneOfEachSize();
  const PageTables tables(*memory_, kRoot, 4);
  EXPECT_EQ(tables.Translate(kKernelHalf + 0x5123)->value, 0x77123u);
  EXPECT_EQ(tables.Translate(kKernelHalf + 0x200000 + 0x12345)->value, 0x212345u);
  EXPECT_EQ(tables.Translate(kKernelHalf + 0x40000000 + 0x1234567)->value, 0x41234567u);
}

TEST_F(PageTablesTest, WhatIsNotMappedIsNotFound) {
  MapOneOfEachSize();
  const PageTables tables(*memory_, kRoot, 4);
  EXPECT_EQ(tables.Translate(kKernelHalf + 0x6000).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(tables.Translate(0).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PageTablesTest, ATableOutsideRamIsOutOfRange) {
  Put(0x1000, 256, 0x40000000 | kTable);
  EXPECT_EQ(PageTables(*memory_, kRoot, 4).Translate(kKernelHalf).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(PageTables(*memory_, GuestAddr{0xfffffffffffff000}, 4).Translate(0).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(PageTablesTest, FiveLevelsHaveOneTableMore) {
  Put(0x1000, 0x1ff, 0x9000 | kTable);
  Put(0x9000, 0x1ff, 0x2000 | kTable);
  Put(0x2000, 0x1fe, 0x3000 | kTable);
  Put(0x3000, 8, 0x600000 | kLarge);
  EXPECT_EQ(PageTables(*memory_, kRoot, 5).Translate(0xffffffff81000123)->value, 0x600123u);
  EXPECT_EQ(Walk(5, 0xff00000000000000), (std::vector<Seen>{{0xffffffff81000000, 0x600000, 2 << 20}}));
}

TEST_F(PageTablesTest, TheWalkSeesEachMappingInAscendingOrder) {
  MapOneOfEachSize();
  Put(0x1000, 511, 0x5000 | kTable);
  Put(0x5000, 511, 0x6000 | kTable);
  Put(0x6000, 511, 0x7000 | kTable);
  Put(0x7000, 511, 0x88000 | kTable);
  EXPECT_EQ(Walk(4), (std::vector<Seen>{{kKernelHalf + 0x5000, 0x77000, 0x1000},
                                        {kKernelHalf + 0x200000, 0x200000, 0x200000},
                                        {kKernelHalf + 0x40000000, 0x40000000, 0x40000000},
                                        {0xfffffffffffff000, 0x88000, 0x1000}}));
}

TEST_F(PageTablesTest, TheWalkKeepsToItsRangeAndStopsWhenTold) {
  MapOneOfEachSize();
  EXPECT_EQ(Walk(4, kKernelHalf + 0x200000, kKernelHalf + 0x3fffff).size(), 1u);
  EXPECT_EQ(Walk(4, kKernelHalf, kTop, 1).size(), 1u);
  EXPECT_TRUE(Walk(4, kKernelHalf + 0x80000000, kTop).empty());
}

TEST_F(PageTablesTest, TheWalkPassesOverTablesOutsideRam) {
  MapOneOfEachSize();
  Put(0x1000, 300, 0x40000000 | kTable);
  Put(0x2000, 2, 0x7fffffffff000 | kTable);
  EXPECT_EQ(Walk(4).size(), 3u);
}

TEST_F(PageTablesTest, ATableThatIsMappedManyTimesIsWalkedOnce) {
  MapOneOfEachSize();
  for (int i = 2; i < 512; ++i) Put(0x3000, i, 0x4000 | kTable);
  EXPECT_EQ(Walk(4).size(), 3u);
}

TEST_F(PageTablesTest, ATableThatHoldsItselfIsNoEndlessWalk) {
  for (int i = 0; i < 512; ++i) Put(0x1000, i, 0x1000 | kTable);
  EXPECT_LE(Walk(4).size(), 512u);
  EXPECT_EQ(PageTables(*memory_, kRoot, 4).Translate(kKernelHalf)->value, 0x1000u);
}

TEST_F(PageTablesTest, ARootOutsideRamHasNoMappings) {
  int calls = 0;
  PageTables(*memory_, GuestAddr{0x40000000}, 4).ForEachMapping(0, kTop, [&](const PageMapping&) {
    return ++calls > 0;
  });
  EXPECT_EQ(calls, 0);
}

// Tables of random words that mostly point at each other. Nothing may hang or read outside RAM.
TEST_F(PageTablesTest, RubbishEndsToo) {
  std::minstd_rand random(1);
  for (int round = 0; round < 20; ++round) {
    for (uint64_t at = 0; at < 256 << 10; at += 8) {
      const uint64_t entry = uint64_t{random()} << 32 ^ random();
      const uint64_t in_ram = (entry & 0xff000) | (entry & 0x81) | 1;
      ASSERT_TRUE(memory_->WriteObject(GuestAddr{at}, random() % 8 == 0 ? entry : in_ram).ok());
    }
    const int levels = 4 + round % 2;
    Walk(levels, levels == 5 ? 0xff00000000000000 : kKernelHalf, kTop, 1000000);
    const PageTables tables(*memory_, kRoot, levels);
    for (int i = 0; i < 1000; ++i) tables.Translate(uint64_t{random()} << 33 ^ random()).status().IgnoreError();
  }
}

}  // namespace
}  // namespace vmm
