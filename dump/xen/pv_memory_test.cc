#include "dump/xen/pv_memory.h"

#include <array>
#include <random>

#include "dump/paging/page_tables.h"
#include "dump/xen/testing/made_up_xen.h"
#include "dump/xen/xen_machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class PvMemoryTest : public testing::Test {
 protected:
  std::unique_ptr<PvMemory> Open() {
    const absl::StatusOr<XenMachine> xen = FindXen(machine_, std::array{MadeUpXenCpu()});
    if (!xen.ok() || !xen->has_dom0) return nullptr;
    absl::StatusOr<std::unique_ptr<PvMemory>> memory = PvMemory::Create(machine_, xen->domains[0].p2m);
    EXPECT_TRUE(memory.ok()) << memory.status();
    return memory.ok() ? *std::move(memory) : nullptr;
  }
  static uint64_t Entry(const PvMemory& memory, uint64_t pfn, uint64_t slot) {
    return *memory.ReadObject<uint64_t>(GuestAddr{pfn * kPageSize + 8 * slot});
  }

  FlatMemory machine_ = MadeUpXen();
  const MadeUpDomain dom0_ = MadeUpDom0();
};

TEST_F(PvMemoryTest, HasTheDomainsPagesInTheDomainsOrder) {
  machine_.PutWord(dom0_.At(100) + 0xff8, 0x100);
  machine_.PutWord(dom0_.At(101), 0x101);
  const auto memory = Open();
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->Ranges(), (std::vector<GuestRange>{{GuestAddr{0}, 1024 * kPageSize}}));
  const auto words = memory->ReadObject<std::array<uint64_t, 2>>(GuestAddr{100 * kPageSize + 0xff8});
  ASSERT_TRUE(words.ok());
  EXPECT_THAT(*words, testing::ElementsAre(0x100, 0x101));
  EXPECT_FALSE(memory->ReadObject<uint64_t>(GuestAddr{1024 * kPageSize}).ok());
  EXPECT_FALSE(memory->ReadObject<uint64_t>(GuestAddr{1024 * kPageSize - 4}).ok());
}

TEST_F(PvMemoryTest, TurnsPageTablesBackIntoTheDomainsPageNumbers) {
  const auto memory = Open();
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(memory->roots(), 1u);
  EXPECT_EQ(memory->tables(), 5u);
  const PageTables tables(*memory, GuestAddr{kMadeUpL4 * kPageSize}, 4);
  for (uint64_t pfn = 0; pfn < 1024; ++pfn) {
    const auto at = tables.Translate(kMadeUpDirectMap + pfn * kPageSize + 8);
    ASSERT_TRUE(at.ok()) << at.status();
    ASSERT_EQ(at->value, pfn * kPageSize + 8);
  }
}

TEST_F(PvMemoryTest, HasNothingOfXensInTheTables) {
  const auto memory = Open();
  ASSERT_NE(memory, nullptr);
  for (unsigned slot = kXenFirstSlot; slot <= kXenLastSlot; ++slot) EXPECT_EQ(Entry(*memory, kMadeUpL4, slot), 0u);
}

TEST_F(PvMemoryTest, MapsNoFrameThatIsNotTheDomains) {
  machine_.PutWord(dom0_.At(kMadeUpL1) + 8 * 7, MadeUpDomU().At(7) | 0x67);  // granted by another domain
  machine_.PutWord(dom0_.At(kMadeUpL1) + 8 * 8, 0xfee00067);                 // the APIC, where no RAM is
  machine_.PutWord(dom0_.At(kMadeUpL1) + 8 * 9, 0x1234567890);               // not present: swapped out
  const auto memory = Open();
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(Entry(*memory, kMadeUpL1, 7), 0u);
  EXPECT_EQ(Entry(*memory, kMadeUpL1, 8), 0xfee00067u);
  EXPECT_EQ(Entry(*memory, kMadeUpL1, 9), 0x1234567890u);
}

TEST_F(PvMemoryTest, ReadsTheSameBytesOfATableInPiecesOfAnySize) {
  const auto memory = Open();
  ASSERT_NE(memory, nullptr);
  std::vector<uint8_t> whole(3 * kPageSize);
  const GuestAddr start{(kMadeUpL4 - 1) * kPageSize};
  ASSERT_TRUE(memory->Read(start, whole).ok());
  for (const size_t size : {1u, 3u, 7u, 8u, 13u, 4096u, 5000u}) {
    for (size_t at = 0; at < whole.size(); at += size) {
      std::vector<uint8_t> piece(std::min(size, whole.size() - at));
      ASSERT_TRUE(memory->Read(GuestAddr{start.value + at}, piece).ok());
      ASSERT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + static_cast<ptrdiff_t>(at))) << size;
    }
  }
}

TEST_F(PvMemoryTest, EndsInDamagedTables) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    machine_ = MadeUpXen();
    for (int change = 0; change < 64; ++change) {
      const uint64_t table = kMadeUpL4 + random() % 5;
      machine_.PutWord(dom0_.At(table) + random() % 512 * 8, dom0_.At(random() % 1024) | 0x67);
    }
    const auto memory = Open();
    ASSERT_NE(memory, nullptr);
    EXPECT_LE(memory->tables(), 1024u);
    std::vector<uint8_t> all(1024 * kPageSize);
    EXPECT_TRUE(memory->Read(GuestAddr{0}, all).ok());
  }
}

}  // namespace
}  // namespace vmm
