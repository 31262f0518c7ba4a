#include "dump/kernel/kernel_mappings.h"

#include "dump/testing/linux_guest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kModules = 0xffffffffc0200000;

class KernelMappingsTest : public ::testing::TestWithParam<int> {
 protected:
  KernelMap map() { return *MapKernelByCr3(guest.memory(), guest.snapshot().cpus); }
  std::vector<VirtualSegment> Find() { return FindKernelMappings(guest.memory(), map(), {}); }
  void Map(uint64_t vaddr, uint64_t phys) { guest.Map(guest.swapper(), vaddr, GuestAddr{phys}, kPageSize); }

  LinuxGuest guest{{.levels = GetParam(), .cpus = 1}};
  const VirtualSegment low_half{guest.stack(0), {GuestAddr{0x2400000}, 2 * kPageSize}};
};

INSTANTIATE_TEST_SUITE_P(Levels, KernelMappingsTest, ::testing::Values(4, 5));

TEST_P(KernelMappingsTest, StacksAreAmongThemButNeitherImageNorDirectMap) {
  const std::vector<VirtualSegment> found = Find();
  EXPECT_THAT(found, SizeIs(2));  // two pages and two pages
  EXPECT_EQ(found.at(0).vaddr, guest.stack(0));
}

TEST_P(KernelMappingsTest, AModulesPagesAreOneRunWhereTheyLieInARow) {
  Map(kModules, 0x3000000);
  Map(kModules + kPageSize, 0x3001000);
  Map(kModules + 2 * kPageSize, 0x3005000);
  const std::vector<VirtualSegment> found = Find();
  EXPECT_THAT(found, Contains(VirtualSegment{kModules, {GuestAddr{0x3000000}, 2 * kPageSize}}));
  EXPECT_THAT(found, Contains(VirtualSegment{kModules + 2 * kPageSize, {GuestAddr{0x3005000}, kPageSize}}));
}

TEST_P(KernelMappingsTest, WhatIsKnownIsNotNamedTwice) {
  EXPECT_THAT(FindKernelMappings(guest.memory(), map(), Find()), IsEmpty());
}

TEST_P(KernelMappingsTest, EspfixIsPassedOver) {
  Map(0xffffff1234567000, 0x3000000);
  EXPECT_THAT(Find(), SizeIs(2));
}

TEST_P(KernelMappingsTest, DeviceMemoryIsPassedOver) {
  Map(kModules, 0xfee00000);
  EXPECT_THAT(Find(), SizeIs(2));
}

TEST_P(KernelMappingsTest, TheLastPageOfAllIsFound) {
  Map(0xfffffffffffff000, 0x3000000);
  EXPECT_THAT(Find(), Contains(VirtualSegment{0xfffffffffffff000, {GuestAddr{0x3000000}, kPageSize}}));
}

// The maximum number of pages and some more, no two of them contiguous in physical memory.
TEST_P(KernelMappingsTest, ThereIsAnEndToThem) {
  for (uint64_t i = 0; i < kMaxMappings + 100; ++i) Map(kModules + i * kPageSize, 0x3000000 + i % 2 * 0x10000);
  EXPECT_THAT(Find(), SizeIs(kMaxMappings));
}

}  // namespace
}  // namespace vmm
