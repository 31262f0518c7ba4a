// The structures that a kernel finds around itself: e820, command line, boot_params, GDT, page tables, registers.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/boot/boot_params.h"
#include "vmm/boot/command_line.h"
#include "vmm/boot/e820.h"
#include "vmm/boot/long_mode.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

std::vector<std::array<uint64_t, 3>> E820(uint64_t memory) {
  std::vector<std::array<uint64_t, 3>> entries;
  for (const E820Entry& entry : MakeE820(RamRanges(memory))) entries.push_back({entry.addr, entry.size, entry.type});
  return entries;
}

TEST(E820Test, RamLeavesOutTheBiosAreaAndTheHole) {
  using Entry = std::array<uint64_t, 3>;
  EXPECT_THAT(E820(64 * kMiB), testing::ElementsAre(Entry{0, 0x9fc00, 1}, Entry{0xe0000, 0x20000, 2},
                                                    Entry{0x100000, 63 * kMiB, 1}, Entry{0xfeffc000, 0x4000, 2}));
  EXPECT_THAT(E820(5 * kGiB), testing::ElementsAre(Entry{0, 0x9fc00, 1}, Entry{0xe0000, 0x20000, 2},
                                                   Entry{0x100000, 3 * kGiB - kMiB, 1}, Entry{0xfeffc000, 0x4000, 2},
                                                   Entry{4 * kGiB, 2 * kGiB, 1}));
}

TEST(CommandLineTest, WordsAreWholeAsTheKernelTakesThem) {
  EXPECT_TRUE(HasWord("nokaslr", "nokaslr"));
  EXPECT_TRUE(HasWord("a\tnokaslr\nb", "nokaslr"));
  EXPECT_TRUE(HasWord("  quiet  nokaslr  ", "nokaslr"));
  EXPECT_FALSE(HasWord("nokaslr=1 xnokaslr nokaslrx", "nokaslr"));
  EXPECT_FALSE(HasWord("", "nokaslr"));
  EXPECT_TRUE(HasWordBeginning("quiet mem=1G", "mem="));
  EXPECT_FALSE(HasWordBeginning("quiet xmem=1G", "mem="));
}

TEST(CommandLineTest, TheLimitIsTheHeadersAndOurs) {
  EXPECT_TRUE(CheckCommandLine(std::string(10, 'x'), 10).ok());
  EXPECT_FALSE(CheckCommandLine(std::string(11, 'x'), 10).ok());
  EXPECT_TRUE(CheckCommandLine(std::string(kCommandLineMax - 1, 'x'), ~uint32_t{0}).ok());
  EXPECT_FALSE(CheckCommandLine(std::string(kCommandLineMax, 'x'), ~uint32_t{0}).ok());
  EXPECT_TRUE(CheckCommandLine("", 0).ok());
}

class BootStructuresTest : public testing::Test {
 protected:
  template <typename T>
  T At(uint64_t address) {
    return *memory_->ReadObject<T>(GuestAddr{address});
  }

  // Translates `address` with `state`'s page tables, as a processor would walk them.
  uint64_t Translate(const CpuState& state, uint64_t address) {
    uint64_t table = state.cr3;
    for (int shift = (state.cr4 & 0x1000) != 0 ? 48 : 39; shift >= 21; shift -= 9) {
      const auto entry = At<uint64_t>(table + (address >> shift & 511) * 8);
      if ((entry & 1) == 0) return ~uint64_t{0};
      if ((entry & 0x80) != 0) return (entry & ~0xfffull) + (address & ((1ull << shift) - 1));
      table = entry & ~0xfffull;
    }
    return ~uint64_t{0};
  }

  std::unique_ptr<GuestMemory> memory_ = *GuestMemory::Create(RamRanges(64 * kMiB));
};

TEST_F(BootStructuresTest, TheIdentityMapMapsItsRangesWithFourAndWithFiveLevels) {
  for (const bool five_level : {false, true}) {
    const std::array<GuestRange, 2> ranges{GuestRange{GuestAddr{0}, 4 * kGiB},
                                           GuestRange{GuestAddr{700 * kGiB + kMiB}, 2 * kMiB}};
    ASSERT_TRUE(WriteIdentityMap(*memory_, ranges, five_level).ok());
    const CpuState state = LongModeEntry(GuestAddr{0x1000000}, five_level);
    for (const uint64_t address : {uint64_t{0}, 0x1234567ul, 4 * kGiB - 1, 700 * kGiB, 700 * kGiB + 3 * kMiB}) {
      EXPECT_EQ(Translate(state, address), address);
    }
    EXPECT_EQ(Translate(state, 4 * kGiB), ~uint64_t{0});
    EXPECT_EQ(Translate(state, 700 * kGiB + 4 * kMiB), ~uint64_t{0});
  }
}

TEST_F(BootStructuresTest, PageTablesStayInTheirPlace) {
  const std::array<GuestRange, 1> much{GuestRange{GuestAddr{0}, 100 * kGiB}};
  EXPECT_EQ(WriteIdentityMap(*memory_, much, false).code(), absl::StatusCode::kResourceExhausted);
}

// The hidden segment parts that vCPU 0 starts with equal the values that its GDT would load.
TEST_F(BootStructuresTest, SegmentsAreThoseOfTheGdt) {
  ASSERT_TRUE(WriteBootGdt(*memory_).ok());
  const CpuState state = LongModeEntry(GuestAddr{0x1000000}, false);
  ASSERT_GE(state.gdt.limit, kBootDs + 7);
  for (const SegmentState& segment : {state.cs, state.ds, state.es, state.ss}) {
    const auto descriptor = At<uint64_t>(state.gdt.base + segment.selector);
    EXPECT_EQ(descriptor >> 40 & 0xf, segment.type);
    EXPECT_EQ(descriptor >> 44 & 1, segment.s);
    EXPECT_EQ(descriptor >> 45 & 3, segment.dpl);
    EXPECT_EQ(descriptor >> 47 & 1, segment.present);
    EXPECT_EQ(descriptor >> 53 & 1, segment.l);
    EXPECT_EQ(descriptor >> 54 & 1, segment.db);
    EXPECT_EQ(descriptor >> 55 & 1, segment.g);
    EXPECT_EQ(segment.limit, 0xffffffffu);
  }
}

TEST_F(BootStructuresTest, TheProcessorIsInLongModeWithInterruptsOff) {
  const CpuState state = LongModeEntry(GuestAddr{0x1234000}, false);
  EXPECT_EQ(state.rip, 0x1234000u);
  EXPECT_EQ(state.rsi, kBootParams.value);
  EXPECT_EQ(state.rflags, 2u);
  EXPECT_EQ(state.cs.selector, 0x10);
  EXPECT_EQ(state.ds.selector, 0x18);
  EXPECT_EQ(state.cr0 & 0x80000001, 0x80000001u);
  EXPECT_EQ(state.cr4, 0x20u);
  EXPECT_EQ(state.efer, 0x500u);
}

TEST_F(BootStructuresTest, TheZeroPageHoldsE820AndTheUpperHalves) {
  const std::vector<E820Entry> e820 = MakeE820(RamRanges(5 * kGiB));
  const GuestRange initrd{GuestAddr{0x1'2345'6000}, 0x2'0000'0001};
  ASSERT_TRUE(WriteBootParams(*memory_, {.header = HeaderForElf(), .initrd = initrd, .e820 = e820}).ok());
  EXPECT_EQ(At<uint32_t>(kBootParams.value + kBootParamsExtRamdiskImage), 1u);
  EXPECT_EQ(At<uint32_t>(kBootParams.value + kBootParamsExtRamdiskSize), 2u);
  EXPECT_EQ(At<uint8_t>(kBootParams.value + kBootParamsE820Entries), e820.size());
  const auto last = At<E820Entry>(kBootParams.value + kBootParamsE820Table + (e820.size() - 1) * sizeof(E820Entry));
  EXPECT_EQ(+last.addr, 4 * kGiB);
}

TEST_F(BootStructuresTest, MoreE820EntriesThanThePageHoldsAreRefused) {
  const std::vector<E820Entry> many(kE820MaxEntries + 1);
  EXPECT_EQ(WriteBootParams(*memory_, {.e820 = many}).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace vmm
