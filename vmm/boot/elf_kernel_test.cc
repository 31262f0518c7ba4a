#include "vmm/boot/elf_kernel.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "vmm/boot/testing/bzimage_builder.h"

namespace vmm {
namespace {

using Builder = BzImageBuilder;

absl::StatusOr<ElfKernel> Parse(const std::vector<uint8_t>& file) {
  return ParseElfKernel(std::span(file).first(std::min<uint64_t>(file.size(), kElfHeadSize)), file.size());
}

TEST(ElfKernelTest, PtLoadsExtentAndEndAreFound) {
  Builder builder;
  builder.relocations.clear();
  const std::vector<uint8_t> file = builder.Elf();
  const auto kernel = Parse(file);
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  ASSERT_EQ(kernel->segments.size(), 2u);
  EXPECT_EQ(kernel->segments[1].paddr, Builder::kDataAt);
  EXPECT_EQ(kernel->extent, (GuestRange{GuestAddr{Builder::kLinkedAt}, 0x7000}));
  EXPECT_EQ(kernel->end, file.size());
  EXPECT_EQ(kernel->entry, Builder::kLinkedAt + 0x40);
}

TEST(ElfKernelTest, AVirtualEntryIsTranslated) {
  Builder builder;
  builder.ehdr.e_entry = kStartKernelMap + Builder::kDataAt + 8;
  EXPECT_EQ(Parse(builder.Elf())->entry, Builder::kDataAt + 8);
}

TEST(ElfKernelTest, WithoutSectionHeadersItEndsWithItsLastSegment) {
  Builder builder;
  builder.ehdr.e_shoff = builder.ehdr.e_shnum = 0;
  EXPECT_EQ(Parse(builder.Elf())->end, builder.phdrs[1].p_offset + builder.phdrs[1].p_filesz);
}

// Any byte of the headers may have any value. An accepted file still keeps ElfKernel's promises.
TEST(ElfKernelTest, NoDamageGetsPastTheChecks) {
  const std::vector<uint8_t> good = Builder().Elf();
  std::mt19937_64 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> file(good.begin(), good.begin() + 0x6000 - 0x700);
    const size_t headers = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
    for (int i = 0; i < 2; ++i) file[random() % headers] = static_cast<uint8_t>(random());
    const auto kernel = Parse(file);
    if (!kernel.ok()) continue;
    EXPECT_LE(kernel->end, file.size());
    for (const ElfSegment& segment : kernel->segments) {
      EXPECT_LE(segment.filesz, segment.memsz);
      EXPECT_TRUE(
          (GuestRange{GuestAddr{0}, file.size()}).Contains(GuestRange{GuestAddr{segment.offset}, segment.filesz}));
      EXPECT_TRUE(kernel->extent.Contains(GuestRange{GuestAddr{segment.paddr}, segment.memsz}));
    }
    EXPECT_TRUE(kernel->extent.Contains(GuestAddr{kernel->entry}));
  }
}

}  // namespace
}  // namespace vmm
