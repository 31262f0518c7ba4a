#include "dump/kernel/kernel_map.h"

#include <gmock/gmock.h>

#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<KernelMap> ByVmcoreInfo(LinuxGuest& guest, const std::string& text) {
  return MapKernelByVmcoreInfo(guest.memory(), guest.snapshot().cpus, *VmcoreInfo::Parse(text));
}
absl::StatusOr<KernelMap> ByVmcoreInfo(LinuxGuest& guest) { return ByVmcoreInfo(guest, guest.VmcoreInfoText()); }

absl::StatusOr<KernelMap> ByCr3(LinuxGuest& guest) { return MapKernelByCr3(guest.memory(), guest.snapshot().cpus); }

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

constexpr VirtualSegment kImage{LinuxGuest::kText, {GuestAddr{LinuxGuest::kImagePhys}, LinuxGuest::kImageSize}};

class KernelMapTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Levels, KernelMapTest, ::testing::Values(4, 5));

TEST_P(KernelMapTest, VmcoreInfoGivesTheMap) {
  LinuxGuest guest({.levels = GetParam()});
  const auto map = ByVmcoreInfo(guest);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->root, guest.swapper());
  EXPECT_EQ(map->levels, GetParam());
  EXPECT_EQ(map->phys_base, LinuxGuest::kPhysBase);
  EXPECT_EQ(map->image, kImage);
  EXPECT_EQ(map->page_offset, guest.page_offset());
}

TEST_P(KernelMapTest, Cr3GivesTheSame) {
  LinuxGuest guest({.levels = GetParam()});
  const auto map = ByCr3(guest);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->phys_base, LinuxGuest::kPhysBase);
  EXPECT_EQ(map->image, kImage);
  EXPECT_EQ(map->page_offset, guest.page_offset());
}

TEST(KernelMapByCr3Test, WithPtiAVcpuInUserModeHasItsKernelTablesInThePageBefore) {
  LinuxGuest guest({.cpus = 1});
  CpuState& cpu = guest.snapshot().cpus[0];
  // The user's tables map one page of entry code, and nothing else of the kernel.
  const GuestAddr user{cpu.cr3 + kPageSize};
  guest.Map(user, LinuxGuest::kText + 0x200000, GuestAddr{LinuxGuest::kImagePhys + 0x200000}, 2 << 20);
  cpu.cr3 = user.value | 0x801;  // with a PCID
  const auto map = ByCr3(guest);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->image, kImage);
  EXPECT_EQ(map->page_offset, guest.page_offset());
  EXPECT_TRUE(ByVmcoreInfo(guest).ok());
}

TEST(KernelMapByCr3Test, ARootInAnOddPageIsTakenAsItIsWithoutPti) {
  LinuxGuest guest({.cpus = 1});
  CpuState& cpu = guest.snapshot().cpus[0];
  std::vector<uint8_t> table(kPageSize);
  ASSERT_TRUE(guest.memory().Read(GuestAddr{cpu.cr3}, table).ok());
  const GuestAddr odd{cpu.cr3 + kPageSize};
  ASSERT_TRUE(guest.memory().Write(odd, table).ok());
  ASSERT_TRUE(guest.memory().Write(GuestAddr{cpu.cr3}, std::vector<uint8_t>(kPageSize)).ok());
  cpu.cr3 = odd.value;
  EXPECT_TRUE(ByCr3(guest).ok());
  EXPECT_TRUE(ByVmcoreInfo(guest).ok());
}

TEST(KernelMapByCr3Test, AVcpuThatDoesNotPageIsPassedOver) {
  LinuxGuest guest;
  guest.snapshot().cpus[0].cr0 = 0x11;
  EXPECT_TRUE(ByCr3(guest).ok());
  guest.snapshot().cpus[1].started = false;
  EXPECT_EQ(ByCr3(guest).status().code(), absl::StatusCode::kNotFound);
}

TEST(KernelMapByCr3Test, RubbishInCr3IsNoMap) {
  LinuxGuest guest;
  for (CpuState& cpu : guest.snapshot().cpus) cpu.cr3 = 0xdeadbeefcafef00d;
  EXPECT_FALSE(ByCr3(guest).ok());
}

TEST(KernelMapByCr3Test, BeforeTheDirectMapExistsThereIsOnlyTheImage) {
  LinuxGuest guest({.direct_map = false});
  const auto map = ByCr3(guest);
  ASSERT_TRUE(map.ok()) << map.status();
  EXPECT_EQ(map->image, kImage);
  EXPECT_FALSE(map->page_offset.has_value());
}

TEST(KernelMapByVmcoreInfoTest, TheDirectMapIsTheLargestNotTheFirst) {
  LinuxGuest guest;
  // LDT remap and the like: small, below the direct map, and aligned by chance.
  guest.Map(guest.swapper(), 0xffff880000000000, GuestAddr{0}, 2 << 20);
  EXPECT_EQ(ByVmcoreInfo(guest)->page_offset, guest.page_offset());
}

TEST(KernelMapByVmcoreInfoTest, FreedInitCodeLeavesNoGapInTheImage) {
  LinuxGuest guest;
  guest.PutWord(guest.EntryAddress(guest.swapper(), LinuxGuest::kText + 0x200000, 2), 0);
  // Only the two outer pages of three are left.
  guest.Map(guest.swapper(), LinuxGuest::kText + 0x400000, GuestAddr{LinuxGuest::kImagePhys + 0x400000}, 2 << 20);
  EXPECT_EQ(ByVmcoreInfo(guest)->image.range.size, 0x600000u);
}

TEST(KernelMapByVmcoreInfoTest, ModulesAreNotTheImage) {
  LinuxGuest guest;
  guest.Map(guest.swapper(), 0xffffffffa0000000, GuestAddr{0x3000000}, 2 << 20);
  EXPECT_EQ(ByVmcoreInfo(guest)->image, kImage);
}

// Contents of a hostile or a stale note, each with the check that catches it.
TEST(KernelMapByVmcoreInfoTest, AWordThatIsNotTrueIsFoundOut) {
  LinuxGuest guest;
  const std::string text = guest.VmcoreInfoText();
  const struct {
    std::string text, error;
  } cases[] = {
      {Replaced(text, "PAGESIZE=4096", "PAGESIZE=65536"), "PAGESIZE"},
      {Replaced(text, "SYMBOL(_stext)", "SYMBOL(_xtext)"), "_stext"},
      {Replaced(text, "SYMBOL(_stext)=ffffffff", "SYMBOL(_stext)=ffff8e44"), "_stext"},
      {Replaced(text, "SYMBOL(swapper_pg_dir)=ffffffff", "SYMBOL(swapper_pg_dir)=00000000"), "swapper_pg_dir"},
      {Replaced(text, "NUMBER(phys_base)=-", "NUMBER(phys_base)=x"), "phys_base"},
      {Replaced(text, "NUMBER(phys_base)=-", "NUMBER(phys_base)="), "does not map _stext"},
      {Replaced(text, "NUMBER(phys_base)=-", "NUMBER(phys_base)=-1"), "page-aligned"},
      {Replaced(text, "(pgtable_l5_enabled)=0", "(pgtable_l5_enabled)=1"), "does not map _stext"},
      {Replaced(text, "OSRELEASE=6", "OSRELEASE=5"), "init_uts_ns"},
      {Replaced(text, "OSRELEASE=6.1.0-56-cloud-amd64", "OSRELEASE=6.1.0-56"), "init_uts_ns"},
  };
  for (const auto& c : cases) {
    const auto map = ByVmcoreInfo(guest, c.text);
    EXPECT_EQ(map.status().code(), absl::StatusCode::kFailedPrecondition) << c.text;
    EXPECT_THAT(std::string(map.status().message()), HasSubstr(c.error));
  }
}

// The kernel before a kexec left a note that is true for that kernel.
TEST(KernelMapByVmcoreInfoTest, AKernelThatNoVcpuRunsIsNotTheKernel) {
  LinuxGuest guest;
  for (CpuState& cpu : guest.snapshot().cpus) {
    cpu.cr3 = guest.NewProcess().value;
    guest.PutWord(GuestAddr{cpu.cr3 + 8 * 511}, 0x3fff063);
  }
  EXPECT_THAT(std::string(ByVmcoreInfo(guest).status().message()), HasSubstr("no running vCPU"));
}

TEST(KernelMapByVmcoreInfoTest, OneVcpuThatRunsItIsEnough) {
  LinuxGuest guest;
  guest.snapshot().cpus[0].cr3 = 0x3ff0000;  // still in a boot loader
  guest.PutWord(GuestAddr{0x3ff0000 + 8 * 511}, 0x3fff063);
  EXPECT_TRUE(ByVmcoreInfo(guest).ok());
}

// After a triple fault the hardware may have reset the vCPU.
TEST(KernelMapByVmcoreInfoTest, WithoutAnyCr3VmcoreInfoIsBelieved) {
  LinuxGuest guest;
  for (CpuState& cpu : guest.snapshot().cpus) cpu = CpuState{};
  EXPECT_TRUE(ByVmcoreInfo(guest).ok());
}

}  // namespace
}  // namespace vmm
