// A guest may have anything in its page tables. These tests make pseudo-random changes to them, always the same. A walk
// must end, keep its promises and agree with a translation. The results derived from the tables must be right as far as
// they go. FUZZ_STEPS or FUZZ_SECONDS in the environment asks for more than the default.
#include <algorithm>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "dump/kernel/kernel_map.h"
#include "dump/kernel/kernel_mappings.h"
#include "dump/kernel/kernel_stack.h"
#include "dump/paging/page_tables.h"
#include "dump/testing/flat_memory.h"
#include "dump/testing/fuzz_steps.h"
#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class Random {
 public:
  explicit Random(uint64_t test) : random_(FuzzSeed(test)) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  uint64_t Number() { return random_() >> Below(64); }

  // Returns, in most cases, an entry that leads to one of `pages`, as a table or as a page of some size.
  uint64_t Entry(const std::vector<uint64_t>& pages) {
    constexpr uint64_t kEdges[] = {0, 1, 0x81, 1ull << 51, (1ull << 52) - 1, 1ull << 52, 1ull << 63, ~0ull};
    switch (Below(8)) {
      case 0: return kEdges[Below(std::size(kEdges))];
      case 1: return random_();
      case 2: return Number() << 12 | 0x81;
      default: return pages[Below(pages.size())] | (Below(4) != 0 ? 1 : 0) | (Below(4) == 0 ? 0x80 : 0);
    }
  }

 private:
  std::mt19937_64 random_;
};

// A canonical range with both ends in the same half: all of the half, the image's range, or some other.
std::pair<uint64_t, uint64_t> SomeRange(Random& random, int levels) {
  const uint64_t kernel_half = FirstOfKernelHalf(levels);
  switch (random.Below(4)) {
    case 0: return {0, ~kernel_half};
    case 1: return {kStartKernelMap, kKernelImageEnd - 1};
    case 2: {
      const uint64_t first = kernel_half + random.Number() % (~kernel_half + 1);
      return {first, first + random.Number() % (~first + 1)};
    }
    default: return {kernel_half, ~0ull};
  }
}

TEST(PageTablesFuzzTest, AWalkEndsAndAgreesWithATranslation) {
  constexpr uint64_t kPages = 16;
  FlatMemory memory(std::vector<uint8_t>(kPages * kPageSize));
  std::vector<uint64_t> pages;
  for (uint64_t page = 0; page < kPages; ++page) pages.push_back(page * kPageSize);
  // Indices at which small tables have their entries: the ends of the halves, and of the image's range.
  constexpr uint64_t kIndices[] = {0, 1, 255, 256, 257, 447, 448, 509, 510, 511};

  Random random(1);
  uint64_t visits = 0;
  FuzzRun run(6'000, /*weight=*/2, /*parts=*/2);
  while (run.Step()) {
    if (run.steps() % 256 == 1) std::fill(memory.bytes().begin(), memory.bytes().end(), 0);
    for (uint64_t i = 1 + random.Below(8); i > 0; --i) {
      const uint64_t index = random.Below(4) != 0 ? kIndices[random.Below(std::size(kIndices))] : random.Below(512);
      memory.PutWord(pages[random.Below(kPages)] + 8 * index, random.Entry(pages));
    }

    const int levels = random.Below(2) == 0 ? 4 : 5;
    const PageTables tables(memory, GuestAddr{pages[random.Below(kPages)]}, levels);
    const auto [first, last] = SomeRange(random, levels);
    uint64_t seen = 0, next = 0;
    const uint64_t most = random.Below(8) == 0 ? random.Below(8) : kPages * 5 * 512;
    const bool whole = tables.ForEachMapping(first, last, [&](const PageMapping& page) {
      EXPECT_TRUE(page.size == kPageSize || page.size == 2 << 20 || page.size == 1 << 30) << page.size;
      EXPECT_EQ((page.vaddr | page.phys.value) % page.size, 0u);
      EXPECT_TRUE(page.vaddr <= last && page.vaddr + (page.size - 1) >= first) << page.vaddr;
      EXPECT_TRUE(seen == 0 || page.vaddr >= next) << page.vaddr;
      const auto translated = tables.Translate(page.vaddr + page.size - 1);
      EXPECT_TRUE(translated.ok() && translated->value == page.phys.value + page.size - 1) << page.vaddr;
      next = page.vaddr + page.size;
      return ++seen < most;
    });
    ASSERT_TRUE(whole) << "so few tables are not too many";
    ASSERT_LE(seen, std::max<uint64_t>(most, 1)) << "from " << first << " to " << last;
    ASSERT_FALSE(testing::Test::HasFailure()) << "step " << run.steps();
    visits += seen;

    const auto anywhere = tables.Translate(random.Number());
    ASSERT_TRUE(anywhere.ok() || absl::IsNotFound(anywhere.status()) || absl::IsOutOfRange(anywhere.status()));
  }
  EXPECT_GT(visits, run.steps()) << "most tables mapped nothing";
}

// Checks the promises that a map makes, and those of the stacks and mappings found by it.
void ExpectTrueAsFarAsItGoes(const FlatMemory& memory, const KernelMap& map, std::span<const CpuState> cpus) {
  ASSERT_TRUE(map.levels == 4 || map.levels == 5);
  ASSERT_GE(map.image.vaddr, kStartKernelMap);
  ASSERT_GT(map.image.range.size, 0u);
  ASSERT_LE(map.image.vaddr - kStartKernelMap + map.image.range.size, kKernelImageEnd - kStartKernelMap);
  ASSERT_EQ(map.image.range.start.value, map.image.vaddr - kStartKernelMap + map.phys_base);

  const std::vector<VirtualSegment> stacks = FindKernelStacks(memory, map, cpus);
  uint64_t stack_bytes = 0;
  for (const VirtualSegment& stack : stacks) {
    ASSERT_EQ((stack.vaddr | stack.range.start.value | stack.range.size) % kPageSize, 0u);
    stack_bytes += stack.range.size;
  }
  ASSERT_LE(stack_bytes, cpus.size() * (2 * kMaxThreadSize + kPageSize));

  const std::vector<VirtualSegment> mappings = FindKernelMappings(memory, map, stacks);
  ASSERT_LE(mappings.size(), kMaxMappings);
  uint64_t end = FirstOfKernelHalf(map.levels);
  for (const VirtualSegment& mapping : mappings) {
    ASSERT_GE(mapping.vaddr, end);
    ASSERT_TRUE(memory.Ranges()[0].Contains(mapping.range));
    end = mapping.vaddr + mapping.range.size;
  }
}

void FuzzKernel(int levels) {
  LinuxGuest guest({.levels = levels});
  FlatMemory memory = *FlatMemory::Copy(guest.memory(), 64 << 20);
  const auto info = VmcoreInfo::Parse(guest.VmcoreInfoText());
  ASSERT_TRUE(info.ok());

  // The entries in use, and the tables that contain them.
  std::vector<uint64_t> entries, tables;
  const auto collect = [&](uint64_t table) {
    const size_t before = entries.size();
    for (uint64_t at = table; at < table + kPageSize; at += 8) {
      if (memory.Word(at) != 0) entries.push_back(at);
    }
    if (entries.size() > before) tables.push_back(table);
  };
  collect(guest.swapper().value);
  for (uint64_t table = 0x100000; table < 0x200000; table += kPageSize) collect(table);

  Random random(static_cast<uint64_t>(levels));
  uint64_t by_info = 0, by_cr3 = 0;
  std::vector<std::pair<uint64_t, uint64_t>> mended;
  FuzzRun run(2'000, /*weight=*/4, /*parts=*/4);
  while (run.Step()) {
    for (uint64_t i = 1 + random.Below(4); i > 0; --i) {
      const uint64_t at = random.Below(4) != 0 ? entries[random.Below(entries.size())]
                                               : tables[random.Below(tables.size())] + 8 * random.Below(512);
      const uint64_t was = memory.Word(at);
      mended.push_back({at, was});
      memory.PutWord(at, random.Below(4) == 0 ? was ^ uint64_t{1} << random.Below(64) : random.Entry(tables));
    }
    std::vector<CpuState> cpus = guest.snapshot().cpus;
    if (random.Below(4) == 0) cpus[0].cr3 = random.Entry(tables);
    if (random.Below(8) == 0) cpus[1].cr4 ^= 1 << 12;
    if (random.Below(4) == 0) cpus[1].rsp = FirstOfKernelHalf(levels) | random.Number();

    if (const auto map = MapKernelByVmcoreInfo(memory, cpus, *info); map.ok()) {
      ++by_info;
      ExpectTrueAsFarAsItGoes(memory, *map, cpus);
    }
    if (const auto map = MapKernelByCr3(memory, cpus); map.ok()) {
      ++by_cr3;
      ExpectTrueAsFarAsItGoes(memory, *map, cpus);
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "step " << run.steps();
    for (; !mended.empty(); mended.pop_back()) memory.PutWord(mended.back().first, mended.back().second);
  }
  for (const uint64_t found : {by_info, by_cr3}) {
    EXPECT_GT(found, run.steps() / 4);
    EXPECT_LT(found, run.steps()) << "no change mattered";
  }
}

TEST(PageTablesFuzzTest, AKernelIsMappedAsFarAsItsFourLevelsAreTrue) { FuzzKernel(4); }
TEST(PageTablesFuzzTest, AKernelIsMappedAsFarAsItsFiveLevelsAreTrue) { FuzzKernel(5); }

}  // namespace
}  // namespace vmm
