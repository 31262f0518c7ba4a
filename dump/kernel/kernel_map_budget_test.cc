#include <string>

#include "absl/strings/str_format.h"
#include "base/budget.h"
#include "dump/kernel/find_kernel.h"
#include "dump/kernel/kernel_map.h"
#include "dump/kernel/other_kernel.h"
#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// 2,000 notes that are all true: each once cost two walks of all page tables, twice in a run (9.4 s in a guest that had
// many tables).
TEST(KernelMapBudgetTest, ARootIsWalkedOnceHoweverManyNotesNameIt) {
  LinuxGuest guest;
  const VmcoreInfo info = *VmcoreInfo::Parse(guest.VmcoreInfoText());
  KernelMapper mapper(guest.memory(), guest.snapshot().cpus);
  ASSERT_TRUE(mapper.ByVmcoreInfo(info).ok());
  const uint64_t once = mapper.meter().steps();
  EXPECT_GT(once, 0u);
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(mapper.ByVmcoreInfo(info).ok());
  EXPECT_EQ(mapper.meter().steps(), once);
}

TEST(KernelMapBudgetTest, ManyVcpusOnOneRootCostOneWalk) {
  LinuxGuest guest({.direct_map = false});
  std::vector<CpuState> cpus(1000, guest.snapshot().cpus[0]);
  KernelMapper one(guest.memory(), std::span(cpus).first(1));
  ASSERT_TRUE(one.ByCr3().ok());
  KernelMapper all(guest.memory(), cpus);
  ASSERT_TRUE(all.ByCr3().ok());
  EXPECT_EQ(all.meter().steps(), one.meter().steps());
}

// 500 vCPUs, each on a root of its own whose 256 top entries all lead to tables, none of which is the direct map.
TEST(KernelMapBudgetTest, AllWalksTogetherHaveOneBudget) {
  LinuxGuest guest({.direct_map = false, .ram = {{GuestAddr{0}, 128 << 20}}});
  std::vector<CpuState> cpus;
  for (uint64_t root = 64 << 20; cpus.size() < 500; root += kPageSize) {
    for (uint64_t i = 256; i < 511; ++i) guest.PutWord(GuestAddr{root + 8 * i}, (100 << 20) + (i << 12) + 1);
    const uint64_t image = *guest.memory().ReadObject<uint64_t>(GuestAddr{guest.swapper().value + 8 * 511});
    guest.PutWord(GuestAddr{root + 8 * 511}, image);
    cpus.push_back(guest.snapshot().cpus[0]);
    cpus.back().cr3 = root;
  }
  // The tables at 100 MiB lead to each other, so that a walk has thousands of them.
  for (uint64_t i = 0; i < 512; ++i) {
    for (uint64_t entry = 0; entry < 512; ++entry) {
      guest.PutWord(GuestAddr{(100 << 20) + (i << 12) + 8 * entry}, (100 << 20) + ((entry ^ 1) << 12) + 1);
    }
  }
  KernelMapper mapper(guest.memory(), cpus);
  EXPECT_TRUE(mapper.ByCr3().ok());  // the first image counts
  EXPECT_LE(mapper.meter().steps(), kKernelMapBudget.steps);
  // On a slow host, or under a sanitizer, the budget's time ends first.
  EXPECT_TRUE(mapper.meter().spent() || mapper.meter().steps() > 100'000u) << mapper.meter().steps();
}

// All notes are of the kernel that is reported, so none of them is another one.
TEST(KernelMapBudgetTest, TheSearchForAnotherKernelWalksARootOnce) {
  LinuxGuest guest;
  const FoundKernel found = FindKernel(guest.snapshot());
  for (uint64_t i = 0; i < 500; ++i) guest.PutNote(GuestAddr{0x3000000 + i * kPageSize}, guest.VmcoreInfoText());
  EXPECT_FALSE(FindOtherKernel(guest.memory(), guest.snapshot().cpus, *found.map).has_value());
}

}  // namespace
}  // namespace vmm
