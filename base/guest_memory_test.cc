#include "base/guest_memory.h"

#include <sys/stat.h>

#include <array>
#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kMiB = 1 << 20;

std::unique_ptr<GuestMemory> TwoBlocks() {
  const std::array<GuestRange, 2> ranges{GuestRange{GuestAddr{0}, kMiB}, GuestRange{GuestAddr{4 * kMiB}, kMiB}};
  return *GuestMemory::Create(ranges);
}

uint64_t AllocatedBytes(const GuestMemory& memory) {
  struct stat st = {};
  EXPECT_EQ(fstat(memory.fd(), &st), 0);
  return static_cast<uint64_t>(st.st_blocks) * 512;
}

TEST(GuestMemoryTest, WhatIsWrittenIsReadBackInEitherBlock) {
  auto memory = TwoBlocks();
  ASSERT_TRUE(memory->WriteObject<uint32_t>(GuestAddr{4 * kMiB + 8}, 0xabcd1234).ok());
  EXPECT_EQ(*memory->ReadObject<uint32_t>(GuestAddr{4 * kMiB + 8}), 0xabcd1234u);
  EXPECT_EQ(*memory->ReadObject<uint32_t>(GuestAddr{8}), 0u);
}

TEST(GuestMemoryTest, ABadAddressIsAStatusNotAnAbort) {
  auto memory = TwoBlocks();
  const uint64_t top = ~uint64_t{0};
  for (const GuestRange bad : {GuestRange{GuestAddr{kMiB}, 1}, GuestRange{GuestAddr{kMiB - 1}, 2},
                               GuestRange{GuestAddr{2 * kMiB}, 4 * kMiB}, GuestRange{GuestAddr{top}, top}}) {
    EXPECT_EQ(memory->Span(bad).status().code(), absl::StatusCode::kOutOfRange);
    EXPECT_TRUE(memory->Lend(bad).empty());
  }
  EXPECT_TRUE(memory->Span({GuestAddr{kMiB - 1}, 1}).ok());
}

TEST(GuestMemoryTest, ReadingAHoleLeavesItAHole) {
  auto memory = TwoBlocks();
  std::array<uint8_t, 8192> bytes;
  bytes.fill(0xff);
  ASSERT_TRUE(memory->Read(GuestAddr{4 * kMiB}, bytes).ok());
  EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0), 8192);
  EXPECT_EQ(AllocatedBytes(*memory), 0u);
}

TEST(GuestMemoryTest, DataExtentsNameTouchedPagesAndNothingElse) {
  auto memory = TwoBlocks();
  ASSERT_TRUE(memory->WriteObject<uint8_t>(GuestAddr{kMiB - 1}, 1).ok());  // last page of the first block
  ASSERT_TRUE(memory->WriteObject<uint8_t>(GuestAddr{4 * kMiB}, 1)
                  .ok());  // first page of the second block, the next one in the file
  const std::vector<GuestRange> want{{GuestAddr{kMiB - kPageSize}, kPageSize}, {GuestAddr{4 * kMiB}, kPageSize}};
  EXPECT_EQ(*memory->DataExtents(), want);
}

TEST(GuestMemoryTest, RangesThatOverlapOrAreUnalignedAreRefused) {
  const std::array<GuestRange, 2> overlap{GuestRange{GuestAddr{0}, 2 * kPageSize},
                                          GuestRange{GuestAddr{kPageSize}, kPageSize}};
  EXPECT_FALSE(GuestMemory::Create(overlap).ok());
  const std::array<GuestRange, 1> unaligned{GuestRange{GuestAddr{1}, kPageSize}};
  EXPECT_FALSE(GuestMemory::Create(unaligned).ok());
  EXPECT_FALSE(GuestMemory::Create({}).ok());
}

}  // namespace
}  // namespace vmm
