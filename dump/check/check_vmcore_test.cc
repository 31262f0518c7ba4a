#include "dump/check/check_vmcore.h"

#include <gmock/gmock.h>

#include <cstddef>
#include <cstring>
#include <set>

#include "dump/abi/elf_core_abi.h"
#include "dump/testing/dumped_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

using Notes = std::vector<VmcoreNote>;
using Phdrs = std::vector<Elf64_Phdr>;

// The program headers of the made-up guest's dump: notes, image, two stacks of two runs each, RAM.
constexpr size_t kNotes = 0, kImage = 1, kFirstStack = 2, kLastStack = 5, kRam = 6;

// Each finding as "rule: reader harm, reader harm".
std::set<std::string> Told(const std::vector<Finding>& findings) {
  std::set<std::string> told;
  for (const Finding& finding : findings) {
    std::string line = finding.rule + ":";
    for (const Breakage& breakage : finding.breaks) {
      line += " " + std::string(NameOf(breakage.reader)) + " " + std::string(NameOf(breakage.harm));
    }
    told.insert(line);
  }
  return told;
}

class CheckVmcoreTest : public ::testing::Test {
 protected:
  std::set<std::string> Check() { return Told(CheckVmcoreFile(dump_.path()).findings); }

  static bool IsNamed(const VmcoreNote& note, std::string_view name) { return note.name == name; }

  void ChangeVmcoreInfo(const std::function<void(std::string&)>& change) {
    dump_.ChangeNotes([&](Notes& notes) {
      for (VmcoreNote& note : notes) {
        if (note.name != "VMCOREINFO") continue;
        std::string text(note.desc.begin(), note.desc.end());
        change(text);
        note.desc.assign(text.begin(), text.end());
      }
    });
  }

  void ChangePid(size_t note, int32_t pid) {
    dump_.ChangeNotes([&](Notes& notes) {
      std::memcpy(notes.at(note).desc.data() + offsetof(ElfPrstatus, pr_pid), &pid, sizeof(pid));
    });
  }

  DumpedGuest dump_;
};

TEST_F(CheckVmcoreTest, OurOwnDumpsHaveNoFinding) {
  for (const LinuxGuestOptions& options : std::vector<LinuxGuestOptions>{
           {},
           {.levels = 5},
           {.cpus = 1},
           {.cpus = 9},
           {.ram = {{GuestAddr{0}, 640 << 10}, {GuestAddr{1 << 20}, 63 << 20}, {GuestAddr{1ull << 32}, 16 << 20}}},
       }) {
    DumpedGuest dump(options);
    EXPECT_THAT(Told(CheckVmcoreFile(dump.path()).findings), UnorderedElementsAre());
  }
}

TEST_F(CheckVmcoreTest, ACpuInUserModeOrNeverStartedIsNoFault) {
  DumpedGuest dump({.cpus = 3}, [](LinuxGuest& guest) {
    guest.snapshot().cpus[1].rsp = 0x7ffd00001000;
    guest.snapshot().cpus[2].started = false;
  });
  EXPECT_THAT(Told(CheckVmcoreFile(dump.path()).findings), UnorderedElementsAre());
}

TEST_F(CheckVmcoreTest, AKernelThatDiedBeforeItsVmcoreInfoIsSaidToHaveNone) {
  DumpedGuest dump({.vmcoreinfo = false});
  EXPECT_THAT(Told(CheckVmcoreFile(dump.path()).findings),
              UnorderedElementsAre("vmcoreinfo: drgn refused makedumpfile refused libkdumpfile wrong crash less"));
}

TEST_F(CheckVmcoreTest, AGuestWithoutAKernelHasNoAddresses) {
  DumpedGuest dump({.vmcoreinfo = false}, [](LinuxGuest& guest) {
    for (CpuState& cpu : guest.snapshot().cpus) cpu.cr0 = 0x10, cpu.cr3 = 0;
  });
  const std::set<std::string> told = Told(CheckVmcoreFile(dump.path()).findings);
  EXPECT_TRUE(told.contains("p_vaddr-unknown: gdb wrong drgn less"));
  EXPECT_TRUE(told.contains("no-kernel: crash refused drgn refused"));
}

// The header.

TEST_F(CheckVmcoreTest, ProgramHeadersThatAreNotAt64BreakMakedumpfile) {
  const std::string phdrs = dump_.Read(64, dump_.phdrs().size() * sizeof(Elf64_Phdr));
  const uint64_t end = dump_.Size();
  dump_.Write(end, phdrs);
  dump_.ChangeHeader([&](Elf64_Ehdr& ehdr) { ehdr.e_phoff = end; });
  EXPECT_THAT(Check(), UnorderedElementsAre("e_phoff: makedumpfile refused"));
}

TEST_F(CheckVmcoreTest, AnotherElfVersionBreaksCrash) {
  dump_.ChangeHeader([](Elf64_Ehdr& ehdr) { ehdr.e_version = 2; });
  EXPECT_THAT(Check(), UnorderedElementsAre("e_version: crash refused"));
}

TEST_F(CheckVmcoreTest, AWrongHeaderSizeAndNeedlessSectionsBreakNobody) {
  dump_.ChangeHeader([](Elf64_Ehdr& ehdr) { ehdr.e_ehsize = 8, ehdr.e_shoff = 64, ehdr.e_shnum = 2; });
  EXPECT_THAT(Check(), UnorderedElementsAre("e_ehsize:", "sections:"));
}

TEST_F(CheckVmcoreTest, PnXnumWithoutSectionHeader0IsUnreadable) {
  dump_.ChangeHeader([](Elf64_Ehdr& ehdr) { ehdr.e_phnum = PN_XNUM; });
  EXPECT_THAT(Check(), UnorderedElementsAre("unreadable: crash refused drgn refused gdb refused makedumpfile refused "
                                            "libkdumpfile refused"));
}

TEST_F(CheckVmcoreTest, PnXnumForAFewHeadersBreaksOldReaders) {
  Elf64_Shdr shdr = {};
  shdr.sh_info = dump_.header().e_phnum;
  const uint64_t end = dump_.Size();
  dump_.Write(end, {reinterpret_cast<const char*>(&shdr), sizeof(shdr)});
  dump_.ChangeHeader([&](Elf64_Ehdr& ehdr) { ehdr.e_phnum = PN_XNUM, ehdr.e_shoff = end; });
  EXPECT_THAT(Check(), UnorderedElementsAre("pn-xnum: crash less makedumpfile less"));
}

// Program headers.

TEST_F(CheckVmcoreTest, P_alignOnPageAlignedDataBreaksCrash) {
  dump_.ChangePhdr(kImage, [](Elf64_Phdr& phdr) { phdr.p_align = 4096; });
  EXPECT_THAT(Check(), UnorderedElementsAre("p_align: crash refused"));
}

TEST_F(CheckVmcoreTest, P_alignBehindTheFirstPtLoadBreaksNobody) {
  dump_.ChangePhdr(kRam, [](Elf64_Phdr& phdr) { phdr.p_align = 4096; });
  EXPECT_THAT(Check(), UnorderedElementsAre("p_align:"));
}

TEST_F(CheckVmcoreTest, P_vaddr0BreaksDrgnAndGdb) {
  dump_.ChangePhdrs([](Phdrs& phdrs) {
    for (size_t i = kImage; i <= kRam; ++i) phdrs[i].p_vaddr = 0;
  });
  EXPECT_THAT(Check(), UnorderedElementsAre("p_vaddr-zero: drgn wrong gdb wrong", "no-image: gdb wrong drgn wrong",
                                            "no-stack: gdb less"));
}

TEST_F(CheckVmcoreTest, P_vaddrThatIsP_paddrBreaksDrgnAndGdb) {
  dump_.ChangePhdrs([](Phdrs& phdrs) {
    for (size_t i = kImage; i <= kRam; ++i) phdrs[i].p_vaddr = phdrs[i].p_paddr;
  });
  EXPECT_THAT(Check(), UnorderedElementsAre("p_vaddr-physical: drgn wrong gdb wrong", "no-image: gdb wrong drgn wrong",
                                            "no-stack: gdb less"));
}

TEST_F(CheckVmcoreTest, P_vaddrInUserSpaceIsTakenForEveryProcess) {
  dump_.ChangePhdr(kFirstStack, [](Elf64_Phdr& phdr) { phdr.p_vaddr = 0x400000; });
  EXPECT_TRUE(Check().contains("p_vaddr-user: drgn less"));
}

// QEMU's dump-guest-memory -p gives user pages such addresses if the guest uses 5-level paging.
TEST_F(CheckVmcoreTest, P_vaddrThatNoCpuHasIsNotFound) {
  dump_.ChangePhdr(kFirstStack, [](Elf64_Phdr& phdr) { phdr.p_vaddr = 0xfe000000005e4000; });
  EXPECT_TRUE(Check().contains("p_vaddr-not-canonical: gdb less"));
}

TEST_F(CheckVmcoreTest, NotesThatAreNotFirstBreakCrash) {
  dump_.ChangePhdrs([](Phdrs& phdrs) { std::swap(phdrs[kNotes], phdrs[kImage]); });
  EXPECT_THAT(Check(), UnorderedElementsAre("pt-note: crash wrong"));
}

TEST_F(CheckVmcoreTest, ASecondPtNoteBreaksCrashGdbAndLibkdumpfile) {
  dump_.ChangePhdrs([](Phdrs& phdrs) {
    Elf64_Phdr& image = phdrs[kImage];
    image = phdrs[kNotes];
    image.p_filesz = image.p_memsz = 0;
  });
  EXPECT_TRUE(Check().contains("pt-note-count: crash refused gdb wrong libkdumpfile wrong"));
}

TEST_F(CheckVmcoreTest, WithoutNotesNearlyNobodyReadsIt) {
  dump_.ChangePhdr(kNotes, [](Elf64_Phdr& phdr) { phdr.p_type = PT_NULL; });
  const std::set<std::string> told = Check();
  EXPECT_TRUE(told.contains("pt-note: crash wrong drgn refused gdb wrong makedumpfile refused libkdumpfile wrong"));
  EXPECT_TRUE(told.contains("pt-other: crash wrong"));
}

TEST_F(CheckVmcoreTest, NotesBehindTheDataBreakCrash) {
  const Elf64_Phdr notes = dump_.phdrs()[kNotes];
  const uint64_t end = dump_.Size();
  dump_.Write(end, dump_.Read(notes.p_offset, notes.p_filesz));
  dump_.ChangePhdr(kNotes, [&](Elf64_Phdr& phdr) { phdr.p_offset = end; });
  EXPECT_THAT(Check(), UnorderedElementsAre("notes-behind-data: crash refused"));
}

TEST_F(CheckVmcoreTest, NotesSaidToBePaddedTo8BytesBreakDrgnAndGdb) {
  dump_.ChangePhdr(kNotes, [](Elf64_Phdr& phdr) { phdr.p_align = 8; });
  EXPECT_THAT(Check(), UnorderedElementsAre("pt-note-align: drgn refused gdb refused"));
}

TEST_F(CheckVmcoreTest, APtNoteWithAddressesBreaksNobody) {
  dump_.ChangePhdr(kNotes, [](Elf64_Phdr& phdr) { phdr.p_paddr = 0x1000; });
  EXPECT_THAT(Check(), UnorderedElementsAre("pt-note-fields:"));
}

TEST_F(CheckVmcoreTest, ASinglePtLoadBreaksCrash) {
  dump_.ChangePhdrs([](Phdrs& phdrs) { phdrs = {phdrs[kNotes], phdrs[kRam]}; });
  EXPECT_TRUE(Check().contains("pt-load-count: crash wrong"));
}

TEST_F(CheckVmcoreTest, WithoutPtLoadsThereIsNoDump) {
  dump_.ChangePhdrs([](Phdrs& phdrs) { phdrs.resize(1); });
  EXPECT_TRUE(Check().contains(
      "pt-load-count: crash refused drgn refused gdb wrong makedumpfile refused libkdumpfile refused"));
}

TEST_F(CheckVmcoreTest, HundredsOfPtLoadsAreTooMuchForLibkdumpfile) {
  dump_.ChangePhdrs([](Phdrs& phdrs) { phdrs.resize(300, phdrs.back()); });
  // The notes no longer lie before the data. Only the count matters here.
  EXPECT_TRUE(Check().contains("pt-load-count: libkdumpfile less"));
}

TEST_F(CheckVmcoreTest, APtLoadThatSplitsAPageBreaksCrash) {
  dump_.ChangePhdr(kRam, [](Elf64_Phdr& phdr) { phdr.p_filesz = phdr.p_memsz = phdr.p_memsz - 0x800; });
  EXPECT_THAT(Check(), UnorderedElementsAre("split-page: crash wrong makedumpfile less"));
}

TEST_F(CheckVmcoreTest, DataThatLiesOnNoPageBoundaryBreaksNobody) {
  dump_.ChangePhdrs([](Phdrs& phdrs) {
    for (size_t i = kImage; i <= kRam; ++i) phdrs[i].p_offset += 0x38;
  });
  const std::set<std::string> told = Check();
  EXPECT_TRUE(told.contains("p_offset:"));
}

TEST_F(CheckVmcoreTest, RamOfWhichTheFileHasLessIsToldOf) {
  dump_.ChangePhdr(kRam, [](Elf64_Phdr& phdr) { phdr.p_memsz += 1 << 20; });
  EXPECT_THAT(Check(), UnorderedElementsAre("p_filesz:"));
}

TEST_F(CheckVmcoreTest, ATruncatedFileBreaksAll) {
  dump_.Truncate(dump_.Size() - 4096);
  EXPECT_THAT(Check(), UnorderedElementsAre("truncated: crash wrong drgn wrong gdb wrong makedumpfile wrong "
                                            "libkdumpfile wrong"));
}

TEST_F(CheckVmcoreTest, TwoSetsOfBytesForOneAddressBreakCrashAndDrgn) {
  dump_.ChangePhdr(kLastStack, [](Elf64_Phdr& phdr) { phdr.p_offset -= 4096; });
  EXPECT_TRUE(Check().contains("overlap: crash wrong drgn wrong"));
}

// makedumpfile -E writes such files: each segment has bytes of its own.
TEST_F(CheckVmcoreTest, TheSameBytesTwiceForOneAddressBreakNobody) {
  const Elf64_Phdr stack = dump_.phdrs()[kLastStack];
  const uint64_t end = AlignUp(dump_.Size(), kPageSize);
  dump_.Write(end, dump_.Read(stack.p_offset, stack.p_filesz));
  dump_.ChangePhdr(kLastStack, [&](Elf64_Phdr& phdr) { phdr.p_offset = end; });
  EXPECT_THAT(Check(), UnorderedElementsAre("stored-twice:"));
}

TEST_F(CheckVmcoreTest, P_paddr0EverywhereBreaksWhoGoesByIt) {
  dump_.ChangePhdrs([](Phdrs& phdrs) {
    for (size_t i = kImage; i <= kRam; ++i) phdrs[i].p_paddr = 0;
  });
  EXPECT_TRUE(Check().contains("p_paddr-zero: crash wrong drgn wrong makedumpfile wrong libkdumpfile wrong"));
}

// The kernel's segments.

TEST_F(CheckVmcoreTest, AMissingImageBreaksOldDrgnAndGdb) {
  dump_.ChangePhdrs([](Phdrs& phdrs) { phdrs.erase(phdrs.begin() + kImage); });
  EXPECT_THAT(Check(), UnorderedElementsAre("no-image: gdb wrong drgn wrong"));
}

// Like the image in kdump's dumps: it ends at _end, not at the end of the page that contains _end.
TEST_F(CheckVmcoreTest, AnImageThatEndsWithinItsLastLargePageIsWhole) {
  dump_.ChangePhdr(kImage, [](Elf64_Phdr& phdr) { phdr.p_filesz = phdr.p_memsz = phdr.p_memsz - 0x1d0000; });
  EXPECT_THAT(Check(), UnorderedElementsAre());
  dump_.ChangePhdr(kImage, [](Elf64_Phdr& phdr) { phdr.p_filesz = phdr.p_memsz = 1 << 20; });
  EXPECT_THAT(Check(), UnorderedElementsAre("no-image: gdb wrong drgn wrong"));
}

TEST_F(CheckVmcoreTest, MissingStacksAreNamedByCpu) {
  dump_.ChangePhdrs([](Phdrs& phdrs) { phdrs.erase(phdrs.begin() + kFirstStack, phdrs.begin() + kRam); });
  const CheckResult result = CheckVmcoreFile(dump_.path());
  EXPECT_THAT(Told(result.findings), UnorderedElementsAre("no-stack: gdb less"));
  EXPECT_THAT(result.findings[0].what, HasSubstr("CPU 0, 1"));
}

TEST_F(CheckVmcoreTest, StacksBehindRamBreakMakedumpfile) {
  dump_.ChangePhdrs([](Phdrs& phdrs) { std::swap(phdrs[kFirstStack], phdrs[kRam]); });
  EXPECT_THAT(Check(), UnorderedElementsAre("ram-not-last: makedumpfile wrong"));
}

TEST_F(CheckVmcoreTest, ASegmentThatThePageTablesHaveElsewhereBreaksGdbAndDrgn) {
  dump_.ChangePhdr(kFirstStack, [](Elf64_Phdr& phdr) { phdr.p_vaddr += 4096; });
  EXPECT_TRUE(Check().contains("p_vaddr-elsewhere: gdb wrong drgn wrong"));
}

// Notes.

TEST_F(CheckVmcoreTest, WithoutQemuNotesCrashTakesOnlyOnlineCpus) {
  dump_.ChangeNotes([](Notes& notes) { std::erase_if(notes, [](auto& note) { return IsNamed(note, "QEMU"); }); });
  EXPECT_THAT(Check(), UnorderedElementsAre("qemu-notes: crash wrong"));
}

TEST_F(CheckVmcoreTest, FewerQemuNotesThanCpusBreakCrash) {
  dump_.ChangeNotes([](Notes& notes) { notes.erase(notes.begin() + 3); });
  EXPECT_THAT(Check(), UnorderedElementsAre("qemu-notes: crash wrong"));
}

TEST_F(CheckVmcoreTest, AQemuNoteOfAnotherSizeBreaksCrash) {
  dump_.ChangeNotes([](Notes& notes) { notes[3].desc.resize(448); });
  EXPECT_THAT(Check(), UnorderedElementsAre("qemu-note-size: crash wrong"));
}

TEST_F(CheckVmcoreTest, TheOlderQemuNoteWithoutKernelGsBaseIsFine) {
  dump_.ChangeNotes([](Notes& notes) {
    for (VmcoreNote& note : notes) {
      if (note.name != "QEMU") continue;
      const uint32_t size = 432;
      note.desc.resize(size);
      std::memcpy(note.desc.data() + 4, &size, sizeof(size));
    }
  });
  EXPECT_THAT(Check(), UnorderedElementsAre());
}

TEST_F(CheckVmcoreTest, WithoutPrstatusThereAreNoThreads) {
  dump_.ChangeNotes([](Notes& notes) { std::erase_if(notes, [](auto& note) { return IsNamed(note, "CORE"); }); });
  EXPECT_TRUE(Check().contains("prstatus: crash less drgn less gdb wrong libkdumpfile less"));
}

TEST_F(CheckVmcoreTest, APrstatusOfAnotherSizeBreaksCrashAndGdb) {
  dump_.ChangeNotes([](Notes& notes) { notes[1].desc.resize(344); });
  EXPECT_THAT(Check(), UnorderedElementsAre("prstatus-size: crash wrong gdb wrong"));
  dump_.ChangeNotes([](Notes& notes) { notes[1].desc.resize(200); });
  EXPECT_THAT(Check(), UnorderedElementsAre("prstatus-size: crash wrong gdb wrong drgn wrong libkdumpfile wrong"));
}

TEST_F(CheckVmcoreTest, CpusCountedFrom0BreakDrgn) {
  ChangePid(0, 0);
  ChangePid(1, 1);
  EXPECT_THAT(Check(), UnorderedElementsAre("pr_pid: drgn wrong"));
}

TEST_F(CheckVmcoreTest, AnyOtherPidBreaksDrgn) {
  ChangePid(1, 4711);
  const CheckResult result = CheckVmcoreFile(dump_.path());
  EXPECT_THAT(Told(result.findings), UnorderedElementsAre("pr_pid: drgn wrong"));
  EXPECT_EQ(result.findings[0].what, "pr_pid of PRSTATUS note 1 is 4711, not 2");
}

TEST_F(CheckVmcoreTest, PrstatusNotesOutOfOrderBreakCrash) {
  dump_.ChangeNotes([](Notes& notes) { std::swap(notes[0], notes[1]); });
  EXPECT_THAT(Check(), UnorderedElementsAre("prstatus-order: crash wrong libkdumpfile wrong"));
}

TEST_F(CheckVmcoreTest, AnotherOrderOfKindsBreaksNobody) {
  dump_.ChangeNotes([](Notes& notes) { std::rotate(notes.begin(), notes.begin() + 4, notes.begin() + 5); });
  EXPECT_THAT(Check(), UnorderedElementsAre("note-order:"));
}

TEST_F(CheckVmcoreTest, ANameThatIsPaddedInItsSizeBreaksDrgnAndLibkdumpfile) {
  dump_.ChangeNotes([](Notes& notes) { notes[4].namesz = 12; });
  EXPECT_THAT(Check(), UnorderedElementsAre("n_namesz: drgn refused libkdumpfile wrong"));
  dump_.ChangeNotes([](Notes& notes) { notes[4].namesz = 11, notes[0].namesz = 8; });
  EXPECT_THAT(Check(), UnorderedElementsAre("n_namesz: drgn wrong libkdumpfile wrong"));
}

TEST_F(CheckVmcoreTest, ANoteOfATypeThatIsTakenBreaksCrash) {
  dump_.ChangeNotes([](Notes& notes) { notes.back().type = 0x700; });
  EXPECT_THAT(Check(), UnorderedElementsAre("note-type: crash wrong"));
}

TEST_F(CheckVmcoreTest, NotesThatEndInTheMiddleBreakAll) {
  dump_.ChangePhdr(kNotes, [](Elf64_Phdr& phdr) { phdr.p_filesz = phdr.p_memsz = phdr.p_filesz - 8; });
  EXPECT_THAT(Check(), UnorderedElementsAre("notes-damaged: crash wrong drgn wrong gdb wrong makedumpfile wrong "
                                            "libkdumpfile wrong"));
}

// VMCOREINFO.

TEST_F(CheckVmcoreTest, WithoutVmcoreInfoDrgnAndMakedumpfileRefuse) {
  dump_.ChangeNotes([](Notes& notes) { std::erase_if(notes, [](auto& note) { return IsNamed(note, "VMCOREINFO"); }); });
  EXPECT_THAT(Check(),
              UnorderedElementsAre("vmcoreinfo: drgn refused makedumpfile refused libkdumpfile wrong crash less"));
}

TEST_F(CheckVmcoreTest, WithNeitherVmcoreInfoNorQemuNotesCrashRefusesToo) {
  dump_.ChangeNotes([](Notes& notes) {
    std::erase_if(notes, [](auto& note) { return IsNamed(note, "VMCOREINFO") || IsNamed(note, "QEMU"); });
  });
  EXPECT_TRUE(Check().contains("vmcoreinfo: drgn refused makedumpfile refused libkdumpfile wrong crash refused"));
}

TEST_F(CheckVmcoreTest, CrashtimeInADumpFromOutsideBreaksDrgn) {
  ChangeVmcoreInfo([](std::string& text) { text += "CRASHTIME=1700000000\n"; });
  EXPECT_THAT(Check(), UnorderedElementsAre("crashtime: drgn wrong"));
}

TEST_F(CheckVmcoreTest, AKdumpKernelsOwnNotesAreFine) {
  ChangeVmcoreInfo([](std::string& text) { text += "CRASHTIME=1700000000\n"; });
  ChangePid(0, 812);
  ChangePid(1, 0);
  dump_.ChangeNotes([](Notes& notes) { std::erase_if(notes, [](auto& note) { return IsNamed(note, "QEMU"); }); });
  EXPECT_THAT(Check(), UnorderedElementsAre());
}

TEST_F(CheckVmcoreTest, AVmcoreInfoThatIsCutIsToldOf) {
  ChangeVmcoreInfo([](std::string& text) { text.resize(text.size() - 4); });
  EXPECT_THAT(Check(), UnorderedElementsAre("vmcoreinfo-cut: makedumpfile less"));
}

TEST_F(CheckVmcoreTest, AVmcoreInfoOfAnotherKernelIsFoundOut) {
  ChangeVmcoreInfo([](std::string& text) { text.replace(text.find("6.1.0"), 5, "6.1.1"); });
  EXPECT_TRUE(Check().contains("vmcoreinfo-wrong: crash wrong drgn wrong makedumpfile wrong libkdumpfile wrong"));
}

TEST_F(CheckVmcoreTest, AVmcoreInfoWithoutAPageSizeBreaksDrgn) {
  ChangeVmcoreInfo([](std::string& text) { text.replace(text.find("PAGESIZE"), 8, "PAGESIXE"); });
  EXPECT_TRUE(Check().contains("vmcoreinfo-keys: drgn refused makedumpfile refused"));
}

TEST_F(CheckVmcoreTest, AVmcoreInfoThatIsRubbishIsAFault) {
  ChangeVmcoreInfo([](std::string& text) { text = "rubbish\n"; });
  EXPECT_TRUE(Check().contains("vmcoreinfo-damaged: crash wrong drgn refused makedumpfile refused"));
}

// Memory.

TEST_F(CheckVmcoreTest, AnotherReleaseInMemoryIsFoundOut) {
  const Elf64_Phdr ram = dump_.phdrs()[kRam];
  const uint64_t uts = LinuxGuest::kUtsNamespace - 0xffffffff80000000 + LinuxGuest::kPhysBase;
  dump_.Write(ram.p_offset + uts + 4 + 130, "5.10");
  EXPECT_TRUE(Check().contains("vmcoreinfo-wrong: crash wrong drgn wrong makedumpfile wrong libkdumpfile wrong"));
}

TEST_F(CheckVmcoreTest, AnImageWithoutItsBannerBreaksCrash) {
  dump_.Write(dump_.phdrs()[kRam].p_offset + LinuxGuest::kBannerPhys, "Lynux");
  EXPECT_THAT(Check(), UnorderedElementsAre("linux-banner: crash refused"));
}

TEST_F(CheckVmcoreTest, WhyNotNamesTheWorstReasonOfAReader) {
  EXPECT_EQ(WhyNot(Reader::kCrash, VmcoreFormat::kElf, {}), std::nullopt);
  dump_.ChangeNotes([](Notes& notes) { std::erase_if(notes, [](auto& note) { return IsNamed(note, "QEMU"); }); });
  dump_.ChangePhdr(kImage, [](Elf64_Phdr& phdr) { phdr.p_align = 4096; });
  const CheckResult result = CheckVmcoreFile(dump_.path());
  EXPECT_THAT(WhyNot(Reader::kCrash, result.format, result.findings).value_or(""),
              HasSubstr("takes the file for a netdump"));
  EXPECT_EQ(WhyNot(Reader::kDrgn, result.format, result.findings), std::nullopt);
  EXPECT_TRUE(WhyNot(Reader::kGdb, VmcoreFormat::kKdump, {}).has_value());
}

}  // namespace
}  // namespace vmm
