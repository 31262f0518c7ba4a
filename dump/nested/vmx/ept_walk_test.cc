#include "dump/nested/vmx/ept_walk.h"

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/guest_memory.h"
#include "dump/nested/testing/fixture.h"
#include "dump/paging/page_tables.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kRwx = 7;
constexpr uint64_t kWriteBack = 6 << 3;
constexpr uint64_t kLarge = 1 << 7;

// L1 RAM of 4 MiB with a made-up EPT whose tables lie from 0x10000 on.
class EptTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kRoot = 0x10000;

  EptTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 4 << 20}};
    memory_ = *GuestMemory::Create(ranges);
  }

  void Put(uint64_t table, int index, uint64_t entry) {
    ASSERT_TRUE(memory_->WriteObject(GuestAddr{table + 8 * static_cast<uint64_t>(index)}, entry).ok());
  }

  // Tables at kRoot, kRoot + 0x1000, ... down to level 1. Entry 0 of each leads to the next.
  void Chain(int levels) {
    for (int i = 0; i + 1 < levels; ++i) Put(TableAt(i), 0, TableAt(i + 1) | kRwx);
  }
  static uint64_t TableAt(int depth) { return kRoot + 0x1000 * static_cast<uint64_t>(depth); }

  Ept Walker(int levels = 4, EptOptions options = {}) {
    return *Ept::Create(*memory_, kRoot | static_cast<uint64_t>(levels - 1) << 3 | 6, options);
  }
  absl::StatusCode Code(uint64_t l2) { return Walker().Translate(GuestAddr{l2}).status().code(); }

  std::vector<EptMapping> Mappings(const Ept& ept) {
    std::vector<EptMapping> mappings;
    report_ = ept.ForEachMapping([&](const EptMapping& mapping) {
      mappings.push_back(mapping);
      return true;
    });
    return mappings;
  }

  std::unique_ptr<GuestMemory> memory_;
  EptWalkReport report_;
};

TEST(EptOfARealL2Test, FindsTheCodeAndTheMarkerThroughSwappedPages) {
  const auto memory = FixtureMemory("vmx-plain-guestmem.bin.xz");
  const auto ept = Ept::Create(*memory, 0x3001e);
  ASSERT_TRUE(ept.ok()) << ept.status();
  EXPECT_EQ(4, ept->levels());
  EXPECT_EQ(GuestAddr{0x20f000}, *ept->Translate(GuestAddr{0x5000}));
  EXPECT_EQ(absl::StatusCode::kNotFound, ept->Translate(GuestAddr{0x50000}).status().code());

  // The OUT that L2 has just executed: e6 and a port.
  const auto out = memory->ReadObject<uint8_t>(*ept->Translate(GuestAddr{0x5027}));
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(0xe6, *out);
}

TEST(EptOfARealL2Test, ListsEveryPageOnce) {
  const auto memory = FixtureMemory("vmx-plain-guestmem.bin.xz");
  const auto ept = Ept::Create(*memory, 0x3001e);
  ASSERT_TRUE(ept.ok());
  std::vector<EptMapping> mappings;
  const EptWalkReport report = ept->ForEachMapping([&](const EptMapping& mapping) {
    mappings.push_back(mapping);
    return true;
  });
  ASSERT_FALSE(mappings.empty());
  EXPECT_EQ(mappings.size(), report.pages);
  EXPECT_EQ(0u, report.misconfigured + report.mmio + report.outside + report.repeated);
  EXPECT_FALSE(report.cut_short);
  int large = 0;
  bool marker = false;
  uint64_t end = 0;
  for (const EptMapping& mapping : mappings) {
    EXPECT_GE(mapping.l2.value, end) << "ascending, and no two overlap";
    end = mapping.l2.value + mapping.size;
    EXPECT_EQ(mapping.l1, *ept->Translate(mapping.l2));
    large += mapping.size == 2 << 20;
    if (mapping.size == kPageSize) {
      const auto word = memory->ReadObject<uint64_t>(mapping.l1);
      marker |= word.ok() && *word == 0xfeedfacecafef00d && mapping.l1 == GuestAddr{0x202000};
    }
  }
  EXPECT_EQ(1, large);
  EXPECT_TRUE(marker);
}

// AMD's nested paging needs no walker of its own, because its tables are in the format of a long-mode process's.
TEST(NestedPagingOfARealL2Test, IsWalkedAsPageTables) {
  const auto memory = FixtureMemory("svm-guestmem.bin.xz");
  const PageTables tables(*memory, GuestAddr{0x30000}, 4);
  EXPECT_EQ(GuestAddr{0x20f000}, *tables.Translate(0x5000));
  EXPECT_EQ(absl::StatusCode::kNotFound, tables.Translate(0x50000).status().code());
}

TEST_F(EptTest, PagesOfEachSizeAreFoundThroughFourAndThroughFiveLevels) {
  for (const int levels : {4, 5}) {
    Chain(levels);
    const int deepest = levels - 1;
    Put(TableAt(deepest), 5, 0x123000 | kWriteBack | kRwx);
    Put(TableAt(deepest - 1), 3, 0x200000 | kLarge | kWriteBack | kRwx);
    Put(TableAt(deepest - 2), 2, 0x40000000 | kLarge | kRwx);
    const Ept ept = Walker(levels);
    EXPECT_EQ(GuestAddr{0x123abc}, *ept.Translate(GuestAddr{0x5abc}));
    EXPECT_EQ(GuestAddr{0x300123}, *ept.Translate(GuestAddr{0x700123}));
    EXPECT_EQ(GuestAddr{0x7fffffff}, *ept.Translate(GuestAddr{0xbfffffff}));
    const std::vector<EptMapping> mappings = Mappings(ept);
    ASSERT_EQ(3u, mappings.size());
    EXPECT_EQ(kPageSize, mappings[0].size);
    EXPECT_EQ(6, mappings[0].memory_type);
    EXPECT_EQ(7, mappings[0].access);
    EXPECT_EQ(2u << 20, mappings[1].size);
    EXPECT_EQ(1u << 30, mappings[2].size);
    EXPECT_EQ(static_cast<uint64_t>(levels), report_.tables);
  }
}

TEST_F(EptTest, AnAddressThatTheLevelsDoNotReachIsOutOfRange) {
  EXPECT_EQ(absl::StatusCode::kOutOfRange, Code(1ull << 48));
  EXPECT_EQ(absl::StatusCode::kNotFound, Walker(5).Translate(GuestAddr{1ull << 48}).status().code());
  EXPECT_EQ(absl::StatusCode::kOutOfRange, Walker(5).Translate(GuestAddr{~0ull}).status().code());
}

TEST_F(EptTest, APointerThatNoEntryWouldTakeIsRefused) {
  for (const uint64_t pointer : {kRoot | 3 << 3 | 2, kRoot | 2 << 3 | 6, kRoot | 7 << 3 | 6, kRoot | 0x9e,
                                 kRoot | 0x11e, uint64_t{1} << 52 | 0x1e}) {
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, Ept::Create(*memory_, pointer).status().code()) << pointer;
  }
  EXPECT_FALSE(Ept::Create(*memory_, 1ull << 40 | 0x1e, {.physical_address_bits = 40}).ok());
  EXPECT_TRUE(Ept::Create(*memory_, kRoot | 0x5e).ok()) << "accessed and dirty flags";
}

TEST_F(EptTest, ReservedBitsAndBadMemoryTypesAreMisconfigured) {
  Chain(4);
  const struct {
    int depth;
    uint64_t entry;
  } kBad[] = {
      {0, TableAt(1) | kRwx | kLarge},  // no pages of 512 GiB
      {0, TableAt(1) | kRwx | 1 << 3},  // a table has no memory type
      {1, 0x40001000 | kRwx | kLarge},  // a page of 1 GiB that is not aligned
      {2, 0x201000 | kRwx | kLarge},    // one of 2 MiB
      {3, 0x123000 | kRwx | 2 << 3},    // memory types that do not exist
      {3, 0x123000 | kRwx | 3 << 3},   {3, 0x123000 | kRwx | 7 << 3},
  };
  for (const auto& [depth, entry] : kBad) {
    const uint64_t good = depth == 3 ? 0 : TableAt(depth + 1) | kRwx;
    Put(TableAt(depth), 0, entry);
    EXPECT_EQ(absl::StatusCode::kDataLoss, Code(0)) << std::hex << entry;
    EXPECT_TRUE(Mappings(Walker()).empty());
    EXPECT_EQ(1u, report_.misconfigured);
    Put(TableAt(depth), 0, good);
  }
  Put(TableAt(3), 0, 1ull << 40 | kRwx);
  EXPECT_TRUE(Walker().Translate(GuestAddr{0}).ok());
  EXPECT_FALSE(Walker(4, {.physical_address_bits = 40}).Translate(GuestAddr{0}).ok());
}

TEST_F(EptTest, KvmsMarkForMmioIsNoMemory) {
  Chain(4);
  Put(TableAt(3), 0, 0xfffff000 | 6);
  EXPECT_EQ(absl::StatusCode::kNotFound, Code(0));
  EXPECT_TRUE(Mappings(Walker()).empty());
  EXPECT_EQ(1u, report_.mmio);
}

TEST_F(EptTest, BitTenMakesAnEntryPresentOnlyWithModeBasedExecution) {
  Chain(4);
  Put(TableAt(3), 0, 0x123000 | 1 << 10);
  EXPECT_EQ(absl::StatusCode::kNotFound, Code(0));
  EXPECT_TRUE(Walker(4, {.mode_based_execute = true}).Translate(GuestAddr{0}).ok());
}

TEST_F(EptTest, SoftwaresBitsAreNobodysBusiness) {
  Chain(4);
  Put(TableAt(3), 0, 0xfff0000000000000 | 0x123000 | 0xf00 | kRwx);
  EXPECT_EQ(GuestAddr{0x123000}, *Walker().Translate(GuestAddr{0}));
}

TEST_F(EptTest, ATableOutsideRamIsToldAndPassedOver) {
  Chain(4);
  Put(TableAt(2), 1, 0x80000000 | kRwx);
  Put(TableAt(3), 0, 0x123000 | kRwx);
  EXPECT_EQ(absl::StatusCode::kOutOfRange, Code(2 << 20));
  EXPECT_EQ(1u, Mappings(Walker()).size());
  EXPECT_EQ(1u, report_.outside);
}

TEST_F(EptTest, ALoopEnds) {
  for (int i = 0; i < 512; ++i) Put(kRoot, i, kRoot | kRwx);
  EXPECT_TRUE(Mappings(Walker(5)).empty());
  EXPECT_EQ(1u, report_.tables);
  EXPECT_EQ(512u, report_.repeated);
}

TEST_F(EptTest, ATableThatIsMappedThousandfoldIsWalkedOnce) {
  Chain(4);
  for (int i = 0; i < 512; ++i) {
    for (int depth = 0; depth < 3; ++depth) Put(TableAt(depth), i, TableAt(depth + 1) | kRwx);
    Put(TableAt(3), i, 0x123000 | kRwx);
  }
  EXPECT_EQ(512u, Mappings(Walker()).size());
  EXPECT_EQ(4u, report_.tables);
  EXPECT_EQ(3u * 511, report_.repeated);
}

TEST_F(EptTest, AVisitorMayStop) {
  Chain(4);
  for (int i = 0; i < 3; ++i) Put(TableAt(3), i, 0x123000 | kRwx);
  int visits = 0;
  const EptWalkReport report = Walker().ForEachMapping([&](const EptMapping&) { return ++visits < 2; });
  EXPECT_EQ(2, visits);
  EXPECT_TRUE(report.cut_short);
}

TEST_F(EptTest, ARootOutsideRamHasNoPages) {
  const auto ept = Ept::Create(*memory_, 0x80000000 | 0x1e);
  ASSERT_TRUE(ept.ok());
  EXPECT_TRUE(Mappings(*ept).empty());
  EXPECT_EQ(1u, report_.outside);
}

}  // namespace
}  // namespace vmm
