#include "vmm/boot/multiboot_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "vmm/boot/testing/multiboot_builder.h"

namespace vmm {
namespace {

using Builder = MultibootBuilder;
using Bytes = std::vector<uint8_t>;
using testing::HasSubstr;

absl::StatusOr<MultibootImage> Parse(const Bytes& file) { return ParseMultiboot(file, file.size()); }

TEST(MultibootImageTest, AnElf32FileGivesItsSegmentsAndEntry) {
  const auto image = Parse(Builder().Elf());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->header_offset, Builder::kHeaderOffset);
  ASSERT_EQ(image->segments.size(), 2u);
  EXPECT_EQ(image->segments[1].paddr, Builder::kDataAt);
  EXPECT_EQ(image->segments[1].filesz, Builder::kDataSize);
  EXPECT_EQ(image->segments[1].memsz, Builder::kDataMemory);
  EXPECT_EQ(image->extent, (GuestRange{GuestAddr{Builder::kTextAt}, 0x5000}));
  EXPECT_EQ(image->entry, Builder::kEntry);
}

TEST(MultibootImageTest, HeaderFlagsOf0AreEnough) {
  Builder builder;
  builder.header.flags = 0;
  EXPECT_TRUE(Parse(builder.Elf()).ok());
}

TEST(MultibootImageTest, AVirtualEntryIsTranslated) {
  Builder builder;
  for (Elf32_Phdr& phdr : builder.phdrs) phdr.p_vaddr += 0xc0000000;
  builder.ehdr.e_entry += 0xc0000000;
  EXPECT_EQ(Parse(builder.Elf())->entry, Builder::kEntry);
}

TEST(MultibootImageTest, TheHeadersOwnAddressesCountMoreThanElf) {
  Builder builder;
  builder.header.flags |= kMultibootAddresses;
  const auto image = Parse(builder.Elf());
  ASSERT_TRUE(image.ok()) << image.status();
  ASSERT_EQ(image->segments.size(), 1u);
  EXPECT_EQ(image->segments[0].offset, Builder::kTextOffset);
  EXPECT_EQ(image->segments[0].filesz, Builder::kTextSize);
  EXPECT_EQ(image->segments[0].memsz, 0x3000u);
}

TEST(MultibootImageTest, WithoutAnEndAFlatFileIsLoadedWhole) {
  Builder builder;
  builder.addresses.load_end_addr = builder.addresses.bss_end_addr = 0;
  const auto image = Parse(builder.Flat());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->segments[0].offset, 0u);
  EXPECT_EQ(image->segments[0].filesz, Builder::kTextSize);
  EXPECT_EQ(image->segments[0].memsz, Builder::kTextSize);
}

TEST(MultibootImageTest, AHeaderWithAWrongChecksumIsNone) {
  Builder builder;
  builder.header.checksum = 1;
  EXPECT_FALSE(FindMultibootHeader(builder.Elf()).has_value());
}

TEST(MultibootImageTest, AHeaderAfterTheFirst8KibIsNone) {
  Bytes file(16384);
  const Bytes text = Builder().Flat();
  std::copy(text.begin(), text.end(), file.begin() + 8192);
  EXPECT_FALSE(FindMultibootHeader(file).has_value());
  std::copy(text.begin(), text.end(), file.begin() + 8192 - 12);
  EXPECT_EQ(FindMultibootHeader(file), 8192u - 12);
}

TEST(MultibootImageTest, XensOwnHeaderIsFound) {
  // The first words of Debian's Xen 4.17 from the file's offset 0x80 on.
  const std::vector<uint32_t> words{0x1dd62de9, 0x001f0f00, 0x1badb002, 0x00000003, 0xe4524ffb, 0xc2c2c2c2, 0xe85250d6};
  const auto* const bytes = reinterpret_cast<const uint8_t*>(words.data());
  EXPECT_EQ(FindMultibootHeader({bytes, words.size() * 4}), 8u);
}

// One way to be wrong, and the words by which the image is refused.
struct Case {
  std::string name;
  std::function<void(Builder&)> spoil;
  std::string words;
  bool flat = false;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class BadMultibootTest : public testing::TestWithParam<Case> {};

TEST_P(BadMultibootTest, IsRefusedByName) {
  Builder builder;
  GetParam().spoil(builder);
  const auto image = Parse(GetParam().flat ? builder.Flat() : builder.Elf());
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(image.status().message()), HasSubstr(GetParam().words));
}

std::vector<Case> Cases() {
  return {
      {"VideoMode", [](Builder& b) { b.header.flags |= kMultibootVideoMode; }, "flags 0x7 has bit 2"},
      {"UnknownDemand", [](Builder& b) { b.header.flags |= 1 << 5; }, "(bits 0x20 of 0 to 15)"},
      {"BigEndian", [](Builder& b) { b.ehdr.e_ident[EI_DATA] = ELFDATA2MSB; }, "data encoding 2"},
      {"Arm", [](Builder& b) { b.ehdr.e_machine = EM_ARM; }, "e_machine 40 (32-bit arm)"},
      {"ObjectFile", [](Builder& b) { b.ehdr.e_type = ET_REL; }, "e_type 1"},
      {"Class", [](Builder& b) { b.ehdr.e_ident[EI_CLASS] = 3; }, "ELF class 3"},
      {"Phentsize", [](Builder& b) { b.ehdr.e_phentsize = 56; }, "e_phentsize 56 is not 32"},
      {"NoPhdrs", [](Builder& b) { b.ehdr.e_phnum = 0; }, "e_phnum 0"},
      {"ManyPhdrs", [](Builder& b) { b.ehdr.e_phnum = 65; }, "e_phnum 65"},
      {"Phoff", [](Builder& b) { b.ehdr.e_phoff = 0xfffffff0; }, "e_phoff 0xfffffff0"},
      {"NoPtLoad", [](Builder& b) { b.phdrs[0].p_type = b.phdrs[1].p_type = PT_NOTE; }, "is a PT_LOAD with memory"},
      {"Filesz", [](Builder& b) { b.phdrs[1].p_filesz = 0x4000; }, "p_filesz 0x4000 is more than p_memsz 0x3000"},
      {"Offset", [](Builder& b) { b.phdrs[1].p_offset = 0xffffff00; }, "PT_LOAD 1: p_offset 0xffffff00"},
      {"Past4GiB", [](Builder& b) { b.phdrs[1].p_paddr = 0xfffff000; }, "passes 4 GiB"},
      {"Overlap", [](Builder& b) { b.phdrs[1].p_paddr = Builder::kTextAt + 0x1000; }, "two PT_LOADs overlap"},
      {"Entry", [](Builder& b) { b.ehdr.e_entry = 0x100; }, "e_entry 0x100 lies in no PT_LOAD"},
      {"EntryInBss", [](Builder& b) { b.ehdr.e_entry = Builder::kDataAt + 0x2000; }, "lies in no PT_LOAD"},
      {"LoadAboveHeader", [](Builder& b) { b.addresses.load_addr += 4; }, "is above header_addr", true},
      {"HeaderBelowFile", [](Builder& b) { b.addresses.load_addr -= 16; }, "only 0 bytes into the file", true},
      {"LoadEndBelow", [](Builder& b) { b.addresses.load_end_addr = 8; }, "load_end_addr 0x8 is not from", true},
      {"LoadEndPastFile", [](Builder& b) { b.addresses.load_end_addr += 1; }, "where the file ends", true},
      {"BssEndBelow", [](Builder& b) { b.addresses.bss_end_addr = Builder::kTextAt; }, "bss_end_addr 0x400000", true},
      {"EntryOutside", [](Builder& b) { b.addresses.entry_addr = 0; }, "entry_addr 0 is not in", true},
      {"FlatPast4GiB",
       [](Builder& b) { b.addresses = {.header_addr = 0xfffff000, .load_addr = 0xfffff000, .entry_addr = 0xfffff000}; },
       "pass 4 GiB", true},
  };
}

INSTANTIATE_TEST_SUITE_P(All, BadMultibootTest, testing::ValuesIn(Cases()),
                         [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

TEST(MultibootImageTest, AFlatFileWithoutAddressesIsRefused) {
  Bytes file = Builder().Elf();
  file.erase(file.begin(), file.begin() + Builder::kTextOffset);
  EXPECT_THAT(std::string(Parse(file).status().message()), HasSubstr("has no address fields (bit 16)"));
}

TEST(MultibootImageTest, AFileThatEndsInItsHeaderIsRefused) {
  const Bytes file = Builder().Flat();
  const Bytes cut(file.begin(), file.begin() + 20);
  EXPECT_THAT(std::string(Parse(cut).status().message()), HasSubstr("end before its address fields do"));
  const Bytes elf = Builder().Elf();
  Bytes short_elf(elf.begin(), elf.begin() + 20);
  const Bytes header(elf.begin() + Builder::kHeaderOffset, elf.begin() + Builder::kHeaderOffset + 12);
  short_elf.insert(short_elf.end(), header.begin(), header.end());
  EXPECT_THAT(std::string(Parse(short_elf).status().message()), HasSubstr("the ELF header alone has 52"));
}

}  // namespace
}  // namespace vmm
