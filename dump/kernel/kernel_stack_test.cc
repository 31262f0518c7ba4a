#include "dump/kernel/kernel_stack.h"

#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::vector<VirtualSegment> Stacks(LinuxGuest& guest) {
  const auto map =
      MapKernelByVmcoreInfo(guest.memory(), guest.snapshot().cpus, *VmcoreInfo::Parse(guest.VmcoreInfoText()));
  return FindKernelStacks(guest.memory(), *map, guest.snapshot().cpus);
}

TEST(KernelStackTest, AStackIsOneSegmentForEachPhysicalRun) {
  LinuxGuest guest({.cpus = 2});
  EXPECT_EQ(Stacks(guest), (std::vector<VirtualSegment>{{guest.stack(0), {GuestAddr{0x2400000}, 0x2000}},
                                                        {guest.stack(0) + 0x2000, {GuestAddr{0x2404000}, 0x2000}},
                                                        {guest.stack(1), {GuestAddr{0x2410000}, 0x2000}},
                                                        {guest.stack(1) + 0x2000, {GuestAddr{0x2414000}, 0x2000}}}));
}

TEST(KernelStackTest, AStackInTheDirectMapOrTheImageNeedsNoSegment) {
  LinuxGuest guest({.cpus = 2});
  guest.snapshot().cpus[0].rsp = guest.page_offset() + 0x12345;
  guest.snapshot().cpus[1].rsp = LinuxGuest::kText + 0x3fff;
  EXPECT_TRUE(Stacks(guest).empty());
}

TEST(KernelStackTest, AVcpuInUserModeOrNeverStartedHasNone) {
  LinuxGuest guest({.cpus = 2});
  guest.snapshot().cpus[0].rsp = 0x7ffd28e63808;
  guest.snapshot().cpus[1].started = false;
  EXPECT_TRUE(Stacks(guest).empty());
}

TEST(KernelStackTest, AnEmptyStackIsFoundBelowItsTop) {
  LinuxGuest guest({.cpus = 1});
  guest.snapshot().cpus[0].rsp = guest.stack(0) + 0x4000;
  EXPECT_EQ(Stacks(guest).size(), 2u);
}

TEST(KernelStackTest, AnOverflownStackIsFoundAboveItsGuardPage) {
  LinuxGuest guest({.cpus = 1});
  guest.snapshot().cpus[0].rsp = guest.stack(0) - 8;
  EXPECT_EQ(Stacks(guest).size(), 2u);
}

TEST(KernelStackTest, ARubbishRspHasNone) {
  LinuxGuest guest({.cpus = 1});
  for (const uint64_t rsp : {0xffffffffffffffffull, 0x8000000000000000ull, 0xfffffffffffffff8ull}) {
    guest.snapshot().cpus[0].rsp = rsp;
    EXPECT_TRUE(Stacks(guest).empty()) << rsp;
  }
}

TEST(KernelStackTest, AStackWithoutEndIsCut) {
  LinuxGuest guest({.cpus = 1});
  const uint64_t base = guest.stack(0) + (16 << 20);
  for (uint64_t page = 0; page < 64; ++page) {
    guest.Map(guest.swapper(), base + page * kPageSize, GuestAddr{0x3000000 + page * kPageSize}, kPageSize);
  }
  guest.snapshot().cpus[0].rsp = base + 32 * kPageSize;
  EXPECT_EQ(Stacks(guest),
            (std::vector<VirtualSegment>{{base + 24 * kPageSize, {GuestAddr{0x3018000}, 17 * kPageSize}}}));
}

TEST(KernelStackTest, TwoVcpusOnOneStackNameItOnce) {
  LinuxGuest guest({.cpus = 2});
  guest.snapshot().cpus[1].rsp = guest.snapshot().cpus[0].rsp - 64;
  EXPECT_EQ(Stacks(guest).size(), 2u);
}

}  // namespace
}  // namespace vmm
