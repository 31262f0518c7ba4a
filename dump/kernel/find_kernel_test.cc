#include "dump/kernel/find_kernel.h"

#include <gmock/gmock.h>

#include <cstring>
#include <random>

#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/nested/testing/fixture.h"
#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

TEST(FindKernelTest, ALinuxGuestIsFoundWhole) {
  LinuxGuest guest;
  const FoundKernel found = FindKernel(guest.snapshot());
  ASSERT_TRUE(found.vmcoreinfo.has_value() && found.map.has_value());
  EXPECT_EQ(found.vmcoreinfo->text(), guest.VmcoreInfoText());
  EXPECT_EQ(found.map->page_offset, guest.page_offset());
  EXPECT_EQ(found.kernel_offset, LinuxGuest::kKernelOffset);
  EXPECT_EQ(found.stacks.size(), 4u);
  EXPECT_EQ(found.why_not, "");
}

TEST(FindKernelTest, BeforeVmcoreInfoExistsTheVcpusTellTheMap) {
  LinuxGuest guest({.vmcoreinfo = false});
  const FoundKernel found = FindKernel(guest.snapshot());
  EXPECT_FALSE(found.vmcoreinfo.has_value());
  ASSERT_TRUE(found.map.has_value());
  EXPECT_EQ(found.map->phys_base, LinuxGuest::kPhysBase);
  EXPECT_EQ(found.kernel_offset, LinuxGuest::kKernelOffset);
  EXPECT_EQ(found.stacks.size(), 4u);
  EXPECT_THAT(found.why_not, HasSubstr("no VMCOREINFO"));
}

TEST(FindKernelTest, AFalseNoteDoesNotHideTheTrueOne) {
  LinuxGuest guest;
  std::string text = guest.VmcoreInfoText();
  text.replace(text.find("OSRELEASE=6"), 11, "OSRELEASE=5");
  guest.PutNote(GuestAddr{0x800000}, text);
  const FoundKernel found = FindKernel(guest.snapshot());
  ASSERT_TRUE(found.vmcoreinfo.has_value());
  EXPECT_EQ(found.vmcoreinfo->release(), LinuxGuest::kRelease);
}

TEST(FindKernelTest, OnlyFalseNotesAreNoneAndTheReasonIsTold) {
  LinuxGuest guest;
  std::string text = guest.VmcoreInfoText();
  text.replace(text.find("OSRELEASE=6"), 11, "OSRELEASE=5");
  guest.PutNote(LinuxGuest::kNote, text);
  const FoundKernel found = FindKernel(guest.snapshot());
  EXPECT_FALSE(found.vmcoreinfo.has_value());
  EXPECT_TRUE(found.map.has_value());
  EXPECT_THAT(found.why_not, HasSubstr("at 0x900000"));
  EXPECT_THAT(found.why_not, HasSubstr("init_uts_ns"));
}

TEST(FindKernelTest, TheUsersVmcoreInfoIsTakenFirst) {
  LinuxGuest guest;
  guest.snapshot().given_vmcoreinfo = *VmcoreInfo::Parse(guest.VmcoreInfoText() + "MINE=1\n");
  guest.snapshot().vmcoreinfo_note_at = {LinuxGuest::kNote, 4096};
  const FoundKernel found = FindKernel(guest.snapshot());
  ASSERT_TRUE(found.vmcoreinfo.has_value());
  EXPECT_EQ(found.vmcoreinfo->Value("MINE"), "1");
  EXPECT_EQ(VmcoreInfoSourceName(found.source), "given");
}

TEST(FindKernelTest, TheOneThatTheGuestNamesIsTakenBeforeOnesThatAreFound) {
  LinuxGuest guest;
  guest.PutNote(GuestAddr{0xa00010}, guest.VmcoreInfoText() + "NAMED=1\n");
  guest.snapshot().vmcoreinfo_note_at = {GuestAddr{0xa00010}, 4096};
  const FoundKernel found = FindKernel(guest.snapshot());
  ASSERT_TRUE(found.vmcoreinfo.has_value());
  EXPECT_EQ(found.vmcoreinfo->Value("NAMED"), "1");
  EXPECT_EQ(VmcoreInfoSourceName(found.source), "guest");
  EXPECT_EQ(found.passed_over, "");
}

TEST(FindKernelTest, AVmcoreInfoOfAnotherKernelIsPassedOverHoweverItCame) {
  LinuxGuest guest;
  std::string text = guest.VmcoreInfoText();
  text.replace(text.find("OSRELEASE=6"), 11, "OSRELEASE=5");
  guest.PutNote(GuestAddr{0xa00010}, text);
  guest.snapshot().given_vmcoreinfo = *VmcoreInfo::Parse(text);
  guest.snapshot().vmcoreinfo_note_at = {GuestAddr{0xa00010}, 4096};
  const FoundKernel found = FindKernel(guest.snapshot());
  ASSERT_TRUE(found.vmcoreinfo.has_value());
  EXPECT_EQ(found.vmcoreinfo->release(), LinuxGuest::kRelease);
  EXPECT_EQ(VmcoreInfoSourceName(found.source), "scan");
  EXPECT_THAT(found.passed_over, HasSubstr("the given one: VMCOREINFO's release 5"));
  EXPECT_THAT(found.passed_over, HasSubstr("says is at 0xa00010: VMCOREINFO's release 5"));
  EXPECT_EQ(found.why_not, "");
}

TEST(FindKernelTest, AGuestThatNamesAnAddressOfNoneIsPassedOver) {
  LinuxGuest guest;
  const GuestRange bad[] = {
      {GuestAddr{0}, 0},       {GuestAddr{0}, 4096},       {GuestAddr{~0ull}, 4096},
      {LinuxGuest::kNote, 40}, {LinuxGuest::kNote, ~0ull}, {GuestAddr{(64 << 20) - 100}, 4096},
  };
  for (const GuestRange& note : bad) {
    guest.snapshot().vmcoreinfo_note_at = note;
    const FoundKernel found = FindKernel(guest.snapshot());
    EXPECT_TRUE(found.vmcoreinfo.has_value());
    EXPECT_EQ(VmcoreInfoSourceName(found.source), "scan");
    EXPECT_NE(found.passed_over, "");
  }
}

TEST(FindKernelTest, AnOldKernelsNoteIsFoundAmongItsData) {
  LinuxGuest guest({.vmcoreinfo = false});
  guest.PutNote(GuestAddr{LinuxGuest::kImagePhys + 0x300f04}, guest.VmcoreInfoText());
  const FoundKernel found = FindKernel(guest.snapshot());
  EXPECT_TRUE(found.vmcoreinfo.has_value());
  EXPECT_EQ(found.why_not, "");
}

TEST(FindKernelTest, WithoutASearchTheVcpusTellTheMap) {
  LinuxGuest guest;
  const FoundKernel found = FindKernelWithoutSearch(guest.snapshot());
  EXPECT_FALSE(found.vmcoreinfo.has_value());
  EXPECT_TRUE(found.map.has_value());
}

TEST(FindKernelTest, AGuestThatIsNoLinuxIsNotFoundAndNoError) {
  LinuxGuest guest({.vmcoreinfo = false});
  for (CpuState& cpu : guest.snapshot().cpus) cpu = CpuState{};
  const FoundKernel found = FindKernel(guest.snapshot());
  EXPECT_FALSE(found.vmcoreinfo.has_value());
  EXPECT_FALSE(found.map.has_value());
  EXPECT_THAT(found.why_not, HasSubstr("no vCPU runs"));
}

TEST(FindKernelTest, AVcpuThatStoppedInTheGuestsGuestCountsAsItsKernelLeftIt) {
  LinuxGuest guest;
  CpuState& cpu = guest.snapshot().cpus[0];
  std::vector<uint8_t> nested = Fixture("vmx-plain-F1-inL2.bin");
  const auto set = [&](size_t offset, uint64_t value) {
    std::memcpy(nested.data() + sizeof(KvmNestedHeader) + offset, &value, sizeof(value));
  };
  set(offsetof(Vmcs12, host_cr3), cpu.cr3);
  set(offsetof(Vmcs12, host_cr4), cpu.cr4 | 1 << 13);
  set(offsetof(Vmcs12, host_rsp), cpu.rsp);
  cpu.nested.bytes = nested;
  cpu.cr3 = 0x9000;  // L2's CR3: not an address of this machine
  cpu.rsp = 0x7000;
  const FoundKernel found = FindKernel(guest.snapshot());
  EXPECT_TRUE(found.vmcoreinfo.has_value());
  EXPECT_EQ(found.stacks.size(), 4u);
  EXPECT_EQ(found.why_not, "");
}

TEST(FindKernelTest, ALostDirectMapIsTold) {
  LinuxGuest guest({.direct_map = false});
  const FoundKernel found = FindKernel(guest.snapshot());
  ASSERT_TRUE(found.map.has_value());
  EXPECT_THAT(found.why_not, HasSubstr("no direct map"));
}

// From 64 MiB on, every 64 KiB holds a note of the largest possible size that is true except for its release, and the
// true note is gone. The search ends, and the dump goes on without a note.
TEST(FindKernelTest, AGuestFullOfLargeFalseNotesIsLeftSoon) {
  LinuxGuest guest({.ram = {{GuestAddr{0}, 128 << 20}}});
  std::string text = guest.VmcoreInfoText();
  text.replace(text.find("OSRELEASE=6"), 11, "OSRELEASE=5");
  const size_t first_line = text.find('\n');
  text.insert(first_line, std::string(kMaxVmcoreInfo - text.size(), '\n'));
  for (uint64_t at = 64 << 20; at < (128 << 20) - (64 << 10); at += 64 << 10) guest.PutNote(GuestAddr{at}, text);
  guest.PutWord(LinuxGuest::kNote, 0);
  const FoundKernel found = FindKernel(guest.snapshot());
  EXPECT_FALSE(found.vmcoreinfo.has_value());
  EXPECT_TRUE(found.map.has_value());
  EXPECT_THAT(found.why_not, HasSubstr("1023 VMCOREINFO found"));
}

// Random bytes of the note, the page tables and the registers are damaged. Any result will do, as long as nothing
// breaks.
TEST(FindKernelTest, DamageIsSurvived) {
  std::minstd_rand random(1);
  LinuxGuest guest({.cpus = 1, .ram = {{GuestAddr{0}, 48 << 20}}});
  const VmSnapshot healthy = guest.snapshot();
  const GuestAddr targets[] = {LinuxGuest::kNote,   guest.swapper(),     GuestAddr{0x100000}, GuestAddr{0x101000},
                               GuestAddr{0x102000}, GuestAddr{0x103000}, GuestAddr{0x104000}, GuestAddr{0x105000}};
  for (int round = 0; round < 2000; ++round) {
    const GuestAddr page = targets[random() % std::size(targets)];
    std::vector<uint8_t> before(kPageSize);
    ASSERT_TRUE(guest.memory().Read(page, before).ok());
    std::vector<uint8_t> damaged = before;
    for (uint32_t i = random() % 8 + 1; i > 0; --i) damaged[random() % 512 * (random() % 8 + 1)] = random() & 0xff;
    ASSERT_TRUE(guest.memory().Write(page, damaged).ok());
    guest.snapshot() = healthy;
    if (random() % 4 == 0) guest.snapshot().cpus[0].cr3 ^= uint64_t{random()} << (random() % 40);
    if (random() % 4 == 0) guest.snapshot().cpus[0].rsp ^= uint64_t{random()} << (random() % 40);
    FindKernel(guest.snapshot());
    ASSERT_TRUE(guest.memory().Write(page, before).ok());
  }
}

}  // namespace
}  // namespace vmm
