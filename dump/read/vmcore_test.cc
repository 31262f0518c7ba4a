#include "dump/read/vmcore.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "absl/strings/str_format.h"
#include "dump/abi/elf_core_abi.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/nested/nested_notes.h"
#include "dump/nested/testing/fixture.h"
#include "dump/read/kernel_of.h"
#include "dump/testing/dumped_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

::testing::Matcher<VmcoreFault> Fault(const std::string& part) {
  return ::testing::Field(&VmcoreFault::what, HasSubstr(part));
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

std::string Refusal(const DumpedGuest& dump) {
  const auto core = Vmcore::Open(dump.path());
  return core.ok() ? "it was opened" : Text(core.status());
}

TEST(VmcoreTest, OurOwnDumpGivesBackEachByteOfRam) {
  DumpedGuest dump({.ram = {{GuestAddr{0}, 40 << 20}, {GuestAddr{0x100000000}, 4 << 20}}});
  const auto core = Vmcore::Open(dump.path());
  ASSERT_TRUE(core.ok()) << core.status();
  EXPECT_EQ((*core)->format(), VmcoreFormat::kElf);
  EXPECT_THAT((*core)->faults(), IsEmpty());
  EXPECT_EQ((*core)->memory().Ranges(), dump.guest().memory().Ranges());
  std::vector<uint8_t> ours(1 << 20), theirs(1 << 20);
  for (const GuestRange& range : dump.guest().memory().Ranges()) {
    for (uint64_t at = 0; at < range.size; at += ours.size()) {
      const GuestAddr addr{range.start.value + at};
      ASSERT_TRUE((*core)->memory().Read(addr, theirs).ok());
      ASSERT_TRUE(dump.guest().memory().Read(addr, ours).ok());
      ASSERT_TRUE(ours == theirs) << addr.value;
    }
  }
}

TEST(VmcoreTest, DataExtentsNameAllThatIsNotZeroAndLittleMore) {
  DumpedGuest dump;
  const auto core = *Vmcore::Open(dump.path());
  const auto extents = *core->memory().DataExtents();
  uint64_t data = 0;
  std::vector<uint8_t> page(kPageSize);
  const std::vector<uint8_t> zeros(kPageSize);
  for (const GuestRange& extent : extents) data += extent.size;
  EXPECT_LT(data, 2u << 20);
  for (uint64_t at = 0; at < 64 << 20; at += kPageSize) {
    ASSERT_TRUE(dump.guest().memory().Read(GuestAddr{at}, page).ok());
    if (page == zeros) continue;
    EXPECT_TRUE(std::any_of(extents.begin(), extents.end(), [&](GuestRange r) { return r.Contains(GuestAddr{at}); }))
        << at;
  }
}

TEST(VmcoreTest, RegistersComeBackWhole) {
  DumpedGuest dump({.cpus = 3});
  const auto core = *Vmcore::Open(dump.path());
  ASSERT_EQ(core->cpus().size(), 3u);
  const CpuState& wanted = dump.guest().snapshot().cpus[2];
  const CpuState& got = core->cpus()[2];
  EXPECT_EQ(got.rsp, wanted.rsp);
  EXPECT_EQ(got.r15, wanted.r15);
  EXPECT_EQ(got.cr3, wanted.cr3);
  EXPECT_EQ(got.cr4, wanted.cr4);
  EXPECT_EQ(got.gs.base, wanted.gs.base);
  EXPECT_EQ(got.idt.base, wanted.idt.base);
  EXPECT_EQ(got.kernel_gs_base, wanted.kernel_gs_base);
  EXPECT_TRUE(got.started);
}

TEST(VmcoreTest, NestedStateComesBackWithItsCpuAndTheKernelIsFoundThoughL2Ran) {
  DumpedGuest dump({.cpus = 2}, [](LinuxGuest& guest) {
    CpuState& cpu = guest.snapshot().cpus[1];
    std::vector<uint8_t> state = Fixture("vmx-plain-F1-inL2.bin");
    std::memcpy(state.data() + sizeof(KvmNestedHeader) + offsetof(Vmcs12, host_cr3), &cpu.cr3, sizeof(cpu.cr3));
    std::memcpy(state.data() + sizeof(KvmNestedHeader) + offsetof(Vmcs12, host_cr4), &cpu.cr4, sizeof(cpu.cr4));
    cpu.nested = {.bytes = state, .max_size = 8320};
    cpu.cr3 = 0x9000;  // L2's
    guest.snapshot().more_notes = MakeNestedNotes(guest.snapshot().cpus, Vmcs12Layout::kFrozen);
  });
  const auto core = *Vmcore::Open(dump.path());
  EXPECT_TRUE(core->cpus()[0].nested.bytes.empty());
  EXPECT_EQ(core->cpus()[1].nested.bytes, dump.guest().snapshot().cpus[1].nested.bytes);
  EXPECT_EQ(core->cpus()[1].nested.max_size, 8320u);
  EXPECT_TRUE(KernelOf(*core).vmcoreinfo.has_value());
}

TEST(VmcoreTest, ACpuThatWasNeverStartedIsToldApart) {
  DumpedGuest dump({.cpus = 2}, [](LinuxGuest& guest) { guest.snapshot().cpus[1].started = false; });
  const auto core = *Vmcore::Open(dump.path());
  ASSERT_EQ(core->cpus().size(), 2u);
  EXPECT_TRUE(core->cpus()[0].started);
  EXPECT_FALSE(core->cpus()[1].started);
}

TEST(VmcoreTest, WithoutQemuNotesPrstatusHasTheRegisters) {
  DumpedGuest dump({.cpus = 2});
  dump.ChangeNotes([](auto& notes) { std::erase_if(notes, [](const auto& note) { return note.name == "QEMU"; }); });
  const auto core = *Vmcore::Open(dump.path());
  ASSERT_EQ(core->cpus().size(), 2u);
  EXPECT_EQ(core->cpus()[1].rsp, dump.guest().snapshot().cpus[1].rsp);
  EXPECT_EQ(core->cpus()[1].cr3, 0u);
  EXPECT_TRUE(KernelOf(*core).map.has_value()) << "VMCOREINFO leads to the page tables";
}

TEST(VmcoreTest, TheKernelIsFoundByVmcoreInfoAndWithoutIt) {
  DumpedGuest dump;
  {
    const auto core = *Vmcore::Open(dump.path());
    ASSERT_TRUE(core->vmcoreinfo().has_value());
    EXPECT_EQ(core->vmcoreinfo()->text(), dump.guest().VmcoreInfoText());
    EXPECT_EQ(KernelOf(*core).kernel_offset, LinuxGuest::kKernelOffset);
  }
  dump.ChangeNotes(
      [](auto& notes) { std::erase_if(notes, [](const auto& note) { return note.name == "VMCOREINFO"; }); });
  const auto core = *Vmcore::Open(dump.path());
  EXPECT_FALSE(core->vmcoreinfo().has_value());
  EXPECT_EQ(KernelOf(*core).kernel_offset, LinuxGuest::kKernelOffset) << "found in guest RAM";
}

TEST(VmcoreTest, ACutFileIsReadAsFarAsItGoes) {
  DumpedGuest dump;
  dump.Truncate(dump.Size() - (8 << 20));
  const auto core = Vmcore::Open(dump.path());
  ASSERT_TRUE(core.ok()) << core.status();
  EXPECT_THAT((*core)->faults(), ElementsAre(Fault("8388608 are missing")));
  EXPECT_THAT((*core)->memory().Ranges(), ElementsAre(GuestRange{GuestAddr{0}, 56 << 20}));
}

TEST(VmcoreTest, APageThatIsOnlyPartlyThereIsMissing) {
  DumpedGuest dump;
  dump.Truncate(dump.Size() - (8 << 20) - 100);
  const auto core = *Vmcore::Open(dump.path());
  ASSERT_TRUE(core->cut_short().has_value());
  EXPECT_EQ(core->cut_short()->Text(),
            absl::StrFormat("is cut short: its RAM should reach byte %d, the file ends at %d "
                            "(12.5 %% is missing)",
                            dump.Size() + (8 << 20) + 100, dump.Size()));
  constexpr uint64_t kCut = (56 << 20) - kPageSize;
  EXPECT_THAT(core->memory().Ranges(), ElementsAre(GuestRange{GuestAddr{0}, kCut}));
  EXPECT_THAT(core->missing_ram(), ElementsAre(GuestRange{GuestAddr{kCut}, (64 << 20) - kCut}));
  std::vector<uint8_t> page(kPageSize);
  EXPECT_EQ(core->memory().Read(GuestAddr{kCut}, page).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(core->memory().Read(GuestAddr{1ull << 40}, page).code(), absl::StatusCode::kOutOfRange);
}

TEST(VmcoreTest, ACoreThatSaysThatItIsIncompleteIsBelieved) {
  DumpedGuest dump;
  EXPECT_FALSE((*Vmcore::Open(dump.path()))->cut_short().has_value());
  dump.ChangeHeader([](Elf64_Ehdr& ehdr) { ehdr.e_flags = kElfIncomplete; });
  EXPECT_TRUE((*Vmcore::Open(dump.path()))->cut_short().has_value());
}

TEST(VmcoreTest, ZerosThatOnlyP_memszPromisesAreNotCutOff) {
  DumpedGuest dump;
  dump.ChangePhdrs([](std::vector<Elf64_Phdr>& phdrs) { phdrs.back().p_memsz += 1 << 20; });
  dump.Truncate(dump.Size() - (8 << 20));
  const auto core = *Vmcore::Open(dump.path());
  EXPECT_THAT(core->missing_ram(), ElementsAre(GuestRange{GuestAddr{56 << 20}, 8 << 20}));
  std::vector<uint8_t> page(kPageSize, 1);
  EXPECT_TRUE(core->memory().Read(GuestAddr{64 << 20}, page).ok());
  EXPECT_EQ(page, std::vector<uint8_t>(kPageSize));
}

TEST(VmcoreTest, AFileThatBecomesShorterWhileItIsReadIsAnError) {
  DumpedGuest dump;
  const auto core = *Vmcore::Open(dump.path());
  dump.Truncate(dump.Size() - (8 << 20));
  std::vector<uint8_t> page(kPageSize);
  EXPECT_EQ(core->memory().Read(GuestAddr{60 << 20}, page).code(), absl::StatusCode::kDataLoss);
}

TEST(VmcoreTest, QemusProgramHeadersBehindSectionHeadersAreFound) {
  DumpedGuest dump;
  const std::string phdrs = dump.Read(64, dump.header().e_phnum * sizeof(Elf64_Phdr));
  const uint64_t end = dump.Size();
  dump.Write(end, phdrs);
  dump.Write(64, std::string(phdrs.size(), '\0'));
  dump.ChangeHeader([&](Elf64_Ehdr& ehdr) { ehdr.e_phoff = end; });
  const auto core = Vmcore::Open(dump.path());
  ASSERT_TRUE(core.ok()) << core.status();
  EXPECT_EQ((*core)->cpus().size(), 2u);
}

TEST(VmcoreTest, MoreProgramHeadersThanE_phnumHoldsAreCountedBySectionHeader0) {
  DumpedGuest dump;
  Elf64_Shdr shdr = {};
  shdr.sh_info = dump.header().e_phnum;
  const uint64_t end = dump.Size();
  dump.Write(end, {reinterpret_cast<const char*>(&shdr), sizeof(shdr)});
  dump.ChangeHeader([&](Elf64_Ehdr& ehdr) { ehdr.e_phnum = PN_XNUM, ehdr.e_shoff = end; });
  const auto core = Vmcore::Open(dump.path());
  ASSERT_TRUE(core.ok()) << core.status();
  EXPECT_EQ((*core)->elf()->phdrs.size(), shdr.sh_info);
}

TEST(VmcoreTest, WhatIsNoVmcoreIsRefusedByName) {
  const struct {
    std::string content, error;
  } cases[] = {
      {"", "the file is empty"},
      {"\x7f"
       "ELF",
       "is cut short: its ELF header should reach byte 64, the file ends at 4 (at least 93.8 % is missing)"},
      {std::string(5000, 'x'), "neither an ELF core nor a kdump file"},
      {std::string("makedumpfile\0\0\0\0", 16) + std::string(5000, '\0'), "flattened file"},
  };
  for (const auto& c : cases) {
    const std::string path = ::testing::TempDir() + "/refused";
    std::ofstream(path, std::ios::binary) << c.content;
    const auto core = Vmcore::Open(path);
    ASSERT_FALSE(core.ok());
    EXPECT_THAT(Text(core.status()), HasSubstr(c.error));
    EXPECT_THAT(Text(core.status()), HasSubstr(path));
  }
  EXPECT_THAT(Text(Vmcore::Open("/").status()), HasSubstr("it is a directory, not a regular file"));
  EXPECT_THAT(Text(Vmcore::Open("/nowhere/vmcore").status()), HasSubstr("No such file"));
}

TEST(VmcoreTest, AFifoThatNobodyWritesIsRefusedAndNotWaitedFor) {
  const std::string path = ::testing::TempDir() + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(Text(Vmcore::Open(path).status()), HasSubstr("it is a FIFO, not a regular file"));
  unlink(path.c_str());
}

TEST(VmcoreTest, AHeaderThatMakesNoSenseIsRefusedWithTheReason) {
  const struct {
    std::function<void(Elf64_Ehdr&)> change;
    std::string error;
  } cases[] = {
      {[](Elf64_Ehdr& e) { e.e_ident[EI_CLASS] = ELFCLASS32; }, "64 bits"},
      {[](Elf64_Ehdr& e) { e.e_type = ET_EXEC; }, "no core"},
      {[](Elf64_Ehdr& e) { e.e_machine = EM_AARCH64; }, "x86_64"},
      {[](Elf64_Ehdr& e) { e.e_phnum = 0; }, "without program headers"},
      {[](Elf64_Ehdr& e) { e.e_phentsize = 32; }, "e_phentsize"},
      {[](Elf64_Ehdr& e) { e.e_phoff = ~0ull; }, "past the file's end"},
      {[](Elf64_Ehdr& e) { e.e_phnum = PN_XNUM; }, "no section header 0"},
      {[](Elf64_Ehdr& e) { e.e_phnum = PN_XNUM, e.e_shoff = ~0ull - 8; }, "past the file's end"},
  };
  for (const auto& c : cases) {
    DumpedGuest dump;
    dump.ChangeHeader(c.change);
    EXPECT_THAT(Refusal(dump), HasSubstr(c.error));
  }
}

TEST(VmcoreTest, AProgramHeaderThatMakesNoSenseIsPassedOverAndNamed) {
  const struct {
    std::function<void(Elf64_Phdr&)> change;
    std::string fault;
  } cases[] = {
      {[](Elf64_Phdr& p) { p.p_paddr = ~0ull - 8; }, "no physical memory lies at"},
      {[](Elf64_Phdr& p) { p.p_memsz = ~0ull; }, "no physical memory lies at"},
      {[](Elf64_Phdr& p) { p.p_offset = ~0ull; }, "are missing"},
      {[](Elf64_Phdr& p) { p.p_filesz = 1ull << 50; }, "are missing"},
  };
  for (const auto& c : cases) {
    DumpedGuest dump;
    dump.ChangePhdr(1, c.change);
    const auto core = Vmcore::Open(dump.path());
    ASSERT_TRUE(core.ok()) << core.status();
    EXPECT_THAT((*core)->faults(), ElementsAre(Fault(c.fault)));
  }
}

TEST(VmcoreTest, ASmallFileThatClaimsToHoldMuchRamIsRefused) {
  DumpedGuest dump;
  dump.ChangePhdrs([](std::vector<Elf64_Phdr>& phdrs) {
    for (uint64_t i = 1; i <= 20; ++i) {
      Elf64_Phdr again = phdrs[4];
      again.p_paddr = i << 32;
      phdrs.push_back(again);
    }
  });
  EXPECT_THAT(Refusal(dump), HasSubstr("different addresses share bytes"));
}

TEST(VmcoreTest, NotesThatRunPastTheirEndCountUpToThere) {
  DumpedGuest dump;
  dump.ChangePhdr(0, [](Elf64_Phdr& phdr) { phdr.p_filesz = 356 + 100; });
  const auto core = *Vmcore::Open(dump.path());
  EXPECT_EQ(core->notes().size(), 1u);
  EXPECT_THAT(core->faults(), ElementsAre(Fault("runs past the end")));
}

}  // namespace
}  // namespace vmm
