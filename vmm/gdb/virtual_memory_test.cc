#include "vmm/gdb/virtual_memory.h"

#include <array>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr uint64_t kLower = 0x400000, kUpper = 0xffffffff81000000;

// A page of a program at kLower, and a page of a kernel at kUpper, which the tables of user mode at 0x3000 lack.
class VirtualMemoryTest : public testing::Test {
 protected:
  VirtualMemoryTest() {
    memory_ = *GuestMemory::Create(std::array{GuestRange{GuestAddr{0}, 1 << 20}});
    for (const uint64_t root : {0x2000, 0x3000}) Put(root, 0x4007);
    Put(0x4000, 0x5007), Put(0x5000 + 2 * 8, 0x6007), Put(0x6000, 0x10005);
    Put(0x2000 + 511 * 8, 0x7003), Put(0x7000 + 510 * 8, 0x8003), Put(0x8000 + 8 * 8, 0x9003), Put(0x9000, 0x11003);
    cpu_ = {.cr0 = 0x80000001, .cr3 = 0x2000, .cr4 = 0x20, .efer = 0x500};
  }

  void Put(uint64_t addr, uint64_t entry) { ASSERT_TRUE(memory_->WriteObject(GuestAddr{addr}, entry).ok()); }
  VirtualMemory View(bool physical = false) { return {*memory_, cpu_, physical}; }

  std::unique_ptr<GuestMemory> memory_;
  CpuState cpu_;
};

TEST_F(VirtualMemoryTest, AProgramsPageIsToldFromTheKernels) {
  EXPECT_EQ(View().Translate(kLower + 8)->phys, GuestAddr{0x10008});
  EXPECT_TRUE(View().Translate(kLower)->user);
  EXPECT_EQ(View().Translate(kUpper)->phys, GuestAddr{0x11000});
  EXPECT_FALSE(View().Translate(kUpper)->user);
}

TEST_F(VirtualMemoryTest, WithIsolatedTablesTheKernelIsStillSeenFromUserMode) {
  cpu_.cr3 = 0x3000;
  EXPECT_EQ(View().Translate(kUpper)->phys, GuestAddr{0x11000});
  EXPECT_EQ(View().Translate(kLower)->phys, GuestAddr{0x10000});
  EXPECT_TRUE(absl::IsNotFound(View().Translate(kUpper + 0x1000).status()));
}

TEST_F(VirtualMemoryTest, AReadEndsWhereNothingIsMapped) {
  ASSERT_TRUE(memory_->Write(GuestAddr{0x10ffe}, Bytes{1, 2}).ok());
  Bytes bytes(16);
  EXPECT_EQ(*View().Read(kLower + 0xffe, bytes), 2u);
  EXPECT_EQ(bytes[1], 2);
  EXPECT_FALSE(View().Read(kLower + 0x1000, bytes).ok());
}

TEST_F(VirtualMemoryTest, AWriteGoesThroughAPageThatTheGuestMayOnlyRead) {
  ASSERT_TRUE(View().Write(kLower, Bytes{7}).ok());
  EXPECT_EQ(*memory_->ReadObject<uint8_t>(GuestAddr{0x10000}), 7);
  EXPECT_FALSE(View().Write(kLower + 0x2000, Bytes{7}).ok());
}

TEST_F(VirtualMemoryTest, WithoutPagingAddressesArePhysical) {
  cpu_.cr0 = 1;
  EXPECT_EQ(View().Translate(0x1234)->phys, GuestAddr{0x1234});
  cpu_.cr0 = 0x80000001;
  EXPECT_EQ(View(/*physical=*/true).Translate(0x1234)->phys, GuestAddr{0x1234});
  cpu_.efer = 0;
  EXPECT_TRUE(absl::IsUnimplemented(View().Translate(0).status()));
}

TEST_F(VirtualMemoryTest, AnImageIsSeenAtItsAddressesBeforeItHasTables) {
  const LoadedImage image{.vaddr = kUpper + 0x200000, .phys = GuestAddr{0x20000}, .size = 0x3000};
  const VirtualMemory view(*memory_, cpu_, /*physical=*/false, image);
  EXPECT_EQ(view.Translate(image.vaddr + 0x2fff)->phys, GuestAddr{0x22fff});
  EXPECT_FALSE(view.Translate(image.vaddr + 0x3000).ok());
  EXPECT_FALSE(view.Translate(image.vaddr - 1).ok());
  Put(0x8000 + 9 * 8, 0xa003), Put(0xa000, 0x12003);
  EXPECT_EQ(view.Translate(image.vaddr)->phys, GuestAddr{0x12000});
  EXPECT_FALSE(view.Translate(image.vaddr + 0x2000).ok()) << "the kernel has freed it";
}

TEST_F(VirtualMemoryTest, ATableThatPointsOutsideRamIsAnError) {
  Put(0x2000, 0x000ffffffffff007);
  EXPECT_FALSE(View().Translate(kLower).ok());
}

}  // namespace
}  // namespace vmm
