#include "dump/elf/core_layout.h"

#include <cstring>

#include "dump/testing/named_registers.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kPageOffset = 0xffff8e4480000000;
constexpr uint64_t kText = 0xffffffff87200000;
constexpr uint64_t kStack = 0xffffd09480010000;

class CoreLayoutTest : public ::testing::Test {
 protected:
  CoreContents Contents() {
    CoreContents contents;
    contents.cpus = cpus_;
    contents.vmcoreinfo = "OSRELEASE=6.1.0\n";  // 16 bytes
    contents.segments = {{kText, {GuestAddr{0x1a00000}, 0x400000}}, {kStack, {GuestAddr{0x2400000}, 0x4000}}};
    contents.page_offset = kPageOffset;
    contents.ram = ram_;
    return contents;
  }

  template <typename T>
  static T At(const CoreLayout& layout, size_t offset) {
    T object;
    std::memcpy(&object, layout.header.data() + offset, sizeof(object));
    return object;
  }

  std::vector<CpuState> cpus_{2};
  std::vector<GuestRange> ram_ = {{GuestAddr{0}, 0xc0000000}, {GuestAddr{0x100000000}, 0x80000000}};
};

TEST_F(CoreLayoutTest, TheWholeFileInNumbers) {
  const auto layout = PlanCore(Contents());
  ASSERT_TRUE(layout.ok()) << layout.status();
  // 64 + 5 program headers of 56 bytes; then for each of two vCPUs a note of 356 bytes and one of 460, and 24 + 16.
  EXPECT_EQ(layout->phdrs[0].p_offset, 344u);
  EXPECT_EQ(layout->phdrs[0].p_filesz, 2 * 356u + 2 * 460u + 40u);
  EXPECT_EQ(layout->header.size(), 344u + 1672u);
  EXPECT_EQ(layout->data_offset, 0x1000u);
  EXPECT_EQ(layout->file_size, 0x1000u + 0x140000000u);
}

TEST_F(CoreLayoutTest, TheFileHeaderSaysX86CoreWithProgramHeadersAt64) {
  const auto layout = PlanCore(Contents());
  const Elf64_Ehdr ehdr = At<Elf64_Ehdr>(*layout, 0);
  EXPECT_EQ(std::memcmp(ehdr.e_ident, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0", 16), 0);
  EXPECT_EQ(ehdr.e_type, ET_CORE);
  EXPECT_EQ(ehdr.e_machine, EM_X86_64);
  EXPECT_EQ(ehdr.e_version, 1u);
  EXPECT_EQ(ehdr.e_phoff, 64u);
  EXPECT_EQ(ehdr.e_ehsize, 64u);
  EXPECT_EQ(ehdr.e_phentsize, 56u);
  EXPECT_EQ(ehdr.e_phnum, 5u);
  EXPECT_EQ(ehdr.e_shoff, 0u);
  EXPECT_EQ(ehdr.e_shnum, 0u);
}

TEST_F(CoreLayoutTest, SegmentsComeInTheOrderThatReadersNeed) {
  const auto layout = PlanCore(Contents());
  const struct {
    uint32_t type;
    uint64_t vaddr, paddr, offset, size;
  } expected[] = {
      {PT_NOTE, 0, 0, 344, 1672},
      {PT_LOAD, kText, 0x1a00000, 0x1a01000, 0x400000},
      {PT_LOAD, kStack, 0x2400000, 0x2401000, 0x4000},
      {PT_LOAD, kPageOffset, 0, 0x1000, 0xc0000000},
      {PT_LOAD, kPageOffset + 0x100000000, 0x100000000, 0xc0001000, 0x80000000},
  };
  ASSERT_EQ(layout->phdrs.size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); ++i) {
    const Elf64_Phdr phdr = At<Elf64_Phdr>(*layout, 64 + 56 * i);
    EXPECT_EQ(phdr.p_type, expected[i].type) << i;
    EXPECT_EQ(phdr.p_vaddr, expected[i].vaddr) << i;
    EXPECT_EQ(phdr.p_paddr, expected[i].paddr) << i;
    EXPECT_EQ(phdr.p_offset, expected[i].offset) << i;
    EXPECT_EQ(phdr.p_filesz, expected[i].size) << i;
    EXPECT_EQ(phdr.p_memsz, expected[i].size) << i;
    EXPECT_EQ(phdr.p_align, 0u) << i;
  }
}

TEST_F(CoreLayoutTest, NotesComeAllPrstatusFirstThenQemuThenVmcoreInfoThenOurs) {
  CoreContents contents = Contents();
  contents.metadata = "{}";
  const auto layout = PlanCore(contents);
  std::string names;
  for (const CoreNote& note : layout->notes) names += note.name + " ";
  EXPECT_EQ(names, "CORE CORE QEMU QEMU VMCOREINFO VMM ");
  EXPECT_EQ(layout->notes[0].type, static_cast<uint32_t>(NT_PRSTATUS));
  for (size_t i = 2; i < layout->notes.size(); ++i) EXPECT_EQ(layout->notes[i].type, 0u);

  // VMCOREINFO and our own note, as bytes.
  const size_t at = layout->phdrs[0].p_offset + 2 * 356 + 2 * 460;
  EXPECT_EQ(layout->header.substr(at), std::string("\13\0\0\0\20\0\0\0\0\0\0\0VMCOREINFO\0\0OSRELEASE=6.1.0\n"
                                                   "\4\0\0\0\2\0\0\0\0\0\0\0VMM\0{}\0\0",
                                                   40 + 20));
}

TEST_F(CoreLayoutTest, ANoteOfOddSizeKeepsItsSizeAndIsPadded) {
  CoreContents contents = Contents();
  contents.vmcoreinfo = "OSRELEASE=6.1.0";
  const auto layout = PlanCore(contents);
  EXPECT_EQ(At<uint32_t>(*layout, layout->phdrs[0].p_offset + 2 * 356 + 2 * 460 + 4), 15u);
  EXPECT_EQ(layout->header.size() % 4, 0u);
}

TEST_F(CoreLayoutTest, FurtherNotesStandBehindVmcoreInfoAsTheyAreGiven) {
  const std::vector<CoreNote> more = {{"FIRST", 0, std::string("\0\1\2", 3)}, {"SECOND", 0, ""}};
  CoreContents contents = Contents();
  contents.more_notes = more;
  contents.metadata = "{}";
  const auto layout = PlanCore(contents);
  ASSERT_EQ(layout->notes.size(), 8u);
  EXPECT_EQ(layout->notes[4].name, "VMCOREINFO");
  EXPECT_EQ(layout->notes[7].name, "VMM");
  const size_t at = layout->phdrs[0].p_offset + 2 * 356 + 2 * 460 + 40;
  EXPECT_EQ(layout->header.substr(at, 24 + 20), std::string("\6\0\0\0\3\0\0\0\0\0\0\0FIRST\0\0\0\0\1\2\0"
                                                            "\7\0\0\0\0\0\0\0\0\0\0\0SECOND\0\0",
                                                            24 + 20));
}

TEST_F(CoreLayoutTest, AFurtherNoteThatAReaderCouldTakeForAnotherIsRefused) {
  const std::vector<CoreNote> more = {{"MINE", NT_PRSTATUS, std::string(336, 'x')}};
  CoreContents contents = Contents();
  contents.more_notes = more;
  EXPECT_EQ(PlanCore(contents).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CoreLayoutTest, WithoutVmcoreInfoThereIsNoSuchNote) {
  CoreContents contents = Contents();
  contents.vmcoreinfo = "";
  EXPECT_EQ(PlanCore(contents)->notes.size(), 4u);
}

TEST_F(CoreLayoutTest, WithoutADirectMapAddressesAreNotCanonical) {
  CoreContents contents = Contents();
  contents.segments.clear();
  contents.page_offset.reset();
  const auto layout = PlanCore(contents);
  ASSERT_EQ(layout->phdrs.size(), 3u);
  EXPECT_EQ(layout->phdrs[1].p_vaddr, 0x8000000000000000u);
  EXPECT_EQ(layout->phdrs[2].p_vaddr, 0x8000000100000000u);
}

TEST_F(CoreLayoutTest, ThereAreNeverLessThanTwoLoads) {
  ram_ = {{GuestAddr{0}, 0x5000}};
  CoreContents contents = Contents();
  contents.segments.clear();
  const auto layout = PlanCore(contents);
  ASSERT_EQ(layout->phdrs.size(), 3u);
  EXPECT_EQ(layout->phdrs[1].p_filesz, 0x3000u);
  EXPECT_EQ(layout->phdrs[2].p_paddr, 0x3000u);
  EXPECT_EQ(layout->phdrs[2].p_offset, 0x4000u);
  EXPECT_EQ(layout->phdrs[2].p_vaddr, kPageOffset + 0x3000);
  EXPECT_EQ(layout->phdrs[2].p_filesz, 0x2000u);
}

TEST_F(CoreLayoutTest, ASegmentIsClippedToRamAndSplitWhereRamIs) {
  ram_ = {{GuestAddr{0x1000}, 0x3000}, {GuestAddr{0x6000}, 0x2000}, {GuestAddr{0x8000}, 0x1000}};
  CoreContents contents = Contents();
  contents.segments = {{kText, {GuestAddr{0}, 0x100000}}, {kStack, {GuestAddr{0x4000}, 0x2000}}};
  const auto layout = PlanCore(contents);
  ASSERT_EQ(layout->phdrs.size(), 1u + 3u + 3u);
  EXPECT_EQ(layout->phdrs[1].p_vaddr, kText + 0x1000);
  EXPECT_EQ(layout->phdrs[1].p_filesz, 0x3000u);
  EXPECT_EQ(layout->phdrs[1].p_offset, layout->data_offset);
  EXPECT_EQ(layout->phdrs[2].p_vaddr, kText + 0x6000);
  EXPECT_EQ(layout->phdrs[2].p_filesz, 0x2000u);
  EXPECT_EQ(layout->phdrs[2].p_offset, layout->data_offset + 0x3000);
  EXPECT_EQ(layout->phdrs[3].p_vaddr, kText + 0x8000);
}

TEST_F(CoreLayoutTest, ASegmentThatWrapsIsLeftOut) {
  CoreContents contents = Contents();
  contents.segments = {{kText, {GuestAddr{~0ull - 0xfff}, 0x400000}}};
  EXPECT_EQ(PlanCore(contents)->phdrs.size(), 3u);
}

TEST_F(CoreLayoutTest, EachVcpuHasItsNotesAlsoOneThatNeverStarted) {
  cpus_.resize(255);
  cpus_[200].started = false;
  const auto layout = PlanCore(Contents());
  EXPECT_EQ(layout->notes.size(), 2 * 255u + 1);
  EXPECT_EQ(layout->data_offset % kPageSize, 0u);
  EXPECT_GE(layout->data_offset, layout->header.size());
}

TEST_F(CoreLayoutTest, FromPnXnumOnTheCountStandsInSectionHeaderZero) {
  // 1 PT_NOTE + 65532 + 2 blocks of RAM is one below PN_XNUM.
  for (const size_t segments : {size_t{65531}, size_t{65532}, size_t{70000}}) {
    CoreContents contents = Contents();
    contents.segments.assign(segments, {kStack, {GuestAddr{0x2400000}, 0x1000}});
    const auto layout = PlanCore(contents);
    const size_t phnum = segments + 3;
    ASSERT_EQ(layout->phdrs.size(), phnum);
    const Elf64_Ehdr ehdr = At<Elf64_Ehdr>(*layout, 0);
    EXPECT_EQ(ehdr.e_phoff, 64u);
    if (phnum < PN_XNUM) {
      EXPECT_EQ(ehdr.e_phnum, phnum);
      EXPECT_EQ(ehdr.e_shnum, 0u);
      EXPECT_EQ(layout->phdrs[0].p_offset, 64 + 56 * phnum);
      continue;
    }
    EXPECT_EQ(ehdr.e_phnum, PN_XNUM);
    EXPECT_EQ(ehdr.e_shnum, 1u);
    EXPECT_EQ(ehdr.e_shoff, 64 + 56 * phnum);
    EXPECT_EQ(At<Elf64_Shdr>(*layout, ehdr.e_shoff).sh_info, phnum);
    EXPECT_EQ(layout->phdrs[0].p_offset, 64 + 56 * phnum + 64);
  }
}

TEST_F(CoreLayoutTest, WhatNoCoreCanBeMadeOfIsRefused) {
  CoreContents no_cpus = Contents();
  no_cpus.cpus = {};
  EXPECT_FALSE(PlanCore(no_cpus).ok());
  const std::vector<std::vector<GuestRange>> bad_ram = {
      {},
      {{GuestAddr{0}, 0x1000}},
      {{GuestAddr{0}, 0x2800}},
      {{GuestAddr{0x800}, 0x2000}},
      {{GuestAddr{0x8000}, 0x2000}, {GuestAddr{0}, 0x2000}},
      {{GuestAddr{0}, 0x2000}, {GuestAddr{0x1000}, 0x2000}},
      {{GuestAddr{~0ull - 0xfff}, 0x2000}},
  };
  for (const auto& ram : bad_ram) {
    CoreContents contents = Contents();
    contents.ram = ram;
    EXPECT_EQ(PlanCore(contents).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace vmm
