#include "dump/nested/l2_memory.h"

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/guest_memory.h"
#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kRwx = 7;
constexpr uint64_t kLarge = 1 << 7;
constexpr uint64_t kGiB = 1 << 30;
constexpr uint64_t kMiB = 1 << 20;

std::vector<uint64_t> Words(const PhysicalMemory& memory, uint64_t at, size_t count) {
  std::vector<uint64_t> words(count, 0xdead);
  const absl::Status status = memory.Read(GuestAddr{at}, {reinterpret_cast<uint8_t*>(words.data()), 8 * count});
  EXPECT_TRUE(status.ok()) << status;
  return words;
}

// An L1 of 16 MiB. Its tables for L2 have 4 levels and lie from 0x10000 on. Bits 2:0 make an entry present both in an
// EPT and in nested paging.
class L2MemoryTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kRoot = 0x10000;

  L2MemoryTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 16 * kMiB}};
    l1_ = *GuestMemory::Create(ranges);
  }

  void Put(uint64_t at, uint64_t word) { ASSERT_TRUE(l1_->WriteObject(GuestAddr{at}, word).ok()); }

  // Maps a page of 4 KiB at level 1, 2 MiB at level 2, 1 GiB at level 3.
  void Map(uint64_t l2, uint64_t l1, int leaf = 1) {
    uint64_t table = kRoot;
    for (int level = 4; level > leaf; --level) {
      const uint64_t at = table + 8 * (l2 >> (12 + 9 * (level - 1)) & 511);
      uint64_t entry = *l1_->ReadObject<uint64_t>(GuestAddr{at});
      if (entry == 0) Put(at, entry = (next_table_ += kPageSize) | kRwx);
      table = AlignDown(entry, kPageSize);
    }
    Put(table + 8 * (l2 >> (12 + 9 * (leaf - 1)) & 511), l1 | kRwx | (leaf > 1 ? kLarge : 0));
  }

  absl::StatusOr<std::unique_ptr<L2Memory>> Ept() { return L2Memory::ThroughEpt(*l1_, kRoot | 0x1e, false); }
  absl::StatusOr<std::unique_ptr<L2Memory>> Npt() { return L2Memory::ThroughNestedPaging(*l1_, GuestAddr{kRoot}, 4); }

  std::unique_ptr<GuestMemory> l1_;
  uint64_t next_table_ = kRoot;
};

TEST(L2MemoryOfARealL2Test, IsReadThroughItsSwappedPages) {
  const auto l1 = FixtureMemory("vmx-plain-guestmem.bin.xz");
  const auto memory = L2Memory::ThroughEpt(*l1, 0x3001e, false);
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ(Words(*l1, 0x20f000, 8), Words(**memory, 0x5000, 8));
  EXPECT_EQ(Words(*l1, 0x202000, 512), Words(**memory, 0x2000, 512));
  bool marker = false;
  for (const uint64_t word : Words(**memory, 0x2000, 512)) marker |= word == 0xfeedfacecafef00d;
  EXPECT_TRUE(marker);

  const auto amd = FixtureMemory("svm-guestmem.bin.xz");
  const auto nested = L2Memory::ThroughNestedPaging(*amd, GuestAddr{0x30000}, 4);
  ASSERT_TRUE(nested.ok()) << nested.status();
  EXPECT_EQ(Words(*amd, 0x20f000, 8), Words(**nested, 0x5000, 8));
}

TEST_F(L2MemoryTest, PagesThatLieElsewhereInL1AreReadInOnePiece) {
  Map(0x1000, 0x300000);
  Map(0x2000, 0x200000);
  Map(0x3000, 0x201000);
  Put(0x300ff8, 1);
  Put(0x200000, 2);
  Put(0x201000, 3);
  for (const auto& memory : {Ept(), Npt()}) {
    ASSERT_TRUE(memory.ok()) << memory.status();
    EXPECT_EQ((std::vector<uint64_t>{1, 2}), Words(**memory, 0x1ff8, 2));
    EXPECT_EQ(3u, (*memory)->walk().pages);
    EXPECT_EQ(3u, Words(**memory, 0x1ff8, 514)[513]);
  }
}

TEST_F(L2MemoryTest, WhatWasNeverTouchedBetweenPagesReadsAsZeros) {
  Map(0x100000, 0x300000);
  Map(0x103000, 0x301000);
  Put(0x300ff8, 1);
  Put(0x301000, 2);
  const auto memory = Ept();
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ((std::vector<GuestRange>{{GuestAddr{0}, 0x104000}}), (*memory)->Ranges());
  const std::vector<uint64_t> words = Words(**memory, 0x100ff8, 1 + 1024 + 1);
  EXPECT_EQ(1u, words.front());
  EXPECT_EQ(0u, words[1]);
  EXPECT_EQ(2u, words.back());
  EXPECT_EQ(0u, Words(**memory, 0x8000, 1)[0]);
  EXPECT_FALSE((*memory)->ReadObject<uint64_t>(GuestAddr{0x104000}).ok());
  EXPECT_FALSE((*memory)->ReadObject<uint64_t>(GuestAddr{0x103ffc}).ok());
  EXPECT_FALSE((*memory)->ReadObject<uint64_t>(GuestAddr{~0ull - 3}).ok());
}

TEST_F(L2MemoryTest, OnlyTouchedPagesOfL1HaveData) {
  Map(0x1000, 0x300000);
  Map(0x2000, 0x301000);  // L1 never touched this one
  Map(0x3000, 0x302000);
  Map(0x4000, 0x200000);
  for (const uint64_t at : {0x300000, 0x302000, 0x200000}) Put(at, 1);
  const auto memory = Ept();
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ((std::vector<GuestRange>{{GuestAddr{0x1000}, 0x1000}, {GuestAddr{0x3000}, 0x2000}}),
            *(*memory)->DataExtents());
}

TEST_F(L2MemoryTest, LargePagesAreTakenWhole) {
  Map(0x200000, 0x400000, 2);
  Map(0x600000, 0x800000, 2);
  Put(0x5ffff8, 7);
  for (const auto& memory : {Ept(), Npt()}) {
    ASSERT_TRUE(memory.ok());
    EXPECT_EQ(7u, Words(**memory, 0x3ffff8, 1)[0]);
    EXPECT_EQ(2u * 2 * kMiB, (*memory)->walk().bytes);
  }
}

TEST_F(L2MemoryTest, APageOfAGigabyteMustLieInRamToo) {
  const GuestRange ranges[] = {{GuestAddr{0}, 2 * kGiB}};
  l1_ = *GuestMemory::Create(ranges);
  Map(0, kGiB, 3);
  Map(kGiB, 2 * kGiB, 3);
  Put(kGiB + 0x1238, 9);
  const auto memory = Ept();
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(9u, Words(**memory, 0x1238, 1)[0]);
  EXPECT_EQ(1u, (*memory)->walk().not_ram);
  EXPECT_EQ((std::vector<GuestRange>{{GuestAddr{0}, kGiB}}), (*memory)->Ranges());
}

TEST_F(L2MemoryTest, BetweenThreeAndFourGigabytesOnlyWhatIsMappedIsRam) {
  Map(0x1000, 0x300000);
  Map(0xfee00000, 0x301000);  // the APIC access page
  Map(4 * kGiB + 0x5000, 0x302000);
  const auto memory = Ept();
  ASSERT_TRUE(memory.ok());
  EXPECT_EQ(
      (std::vector<GuestRange>{{GuestAddr{0}, 0x2000}, {GuestAddr{0xfee00000}, 0x1000}, {GuestAddr{4 * kGiB}, 0x6000}}),
      (*memory)->Ranges());
  EXPECT_EQ(0u, Words(**memory, 4 * kGiB, 1)[0]);
}

TEST_F(L2MemoryTest, WhatLeadsOutOfL1sRamIsNoRam) {
  Map(0x1000, 0x300000);
  Map(0x2000, 1ull << 51);  // KVM's mark for MMIO in nested paging
  for (const auto& memory : {Ept(), Npt()}) {
    ASSERT_TRUE(memory.ok());
    EXPECT_EQ(1u, (*memory)->walk().pages);
    EXPECT_EQ(1u, (*memory)->walk().not_ram);
  }
}

TEST_F(L2MemoryTest, TablesWithoutAPageAreNotFound) {
  Map(0x1000, 1ull << 40);
  EXPECT_EQ(absl::StatusCode::kNotFound, Ept().status().code());
  EXPECT_EQ(absl::StatusCode::kNotFound, Npt().status().code());
}

TEST_F(L2MemoryTest, RamThatIsMappedOverAndOverIsRefused) {
  for (uint64_t l2 = 0; l2 <= 17 * 16 * kMiB; l2 += 2 * kMiB) Map(l2, 0x200000, 2);
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, Ept().status().code());
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, Npt().status().code());
}

TEST_F(L2MemoryTest, ABadEptPointerIsRefused) {
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, L2Memory::ThroughEpt(*l1_, 0x1002, false).status().code());
}

}  // namespace
}  // namespace vmm
