#include "dump/kdump/kdump_file.h"

#include <gmock/gmock.h>

#include <cstring>

#include "base/guest_memory.h"
#include "dump/kdump/kdump_writer.h"
#include "dump/testing/string_sink.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

// A small valid file. Each test changes one thing in it.
class KdumpFileTest : public ::testing::Test {
 protected:
  KdumpFileTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 16 * kPageSize}, {GuestAddr{0x40000}, 16 * kPageSize}};
    const auto memory = *GuestMemory::Create(ranges);
    const std::string text = "one page among zeros";
    (void)memory->Write(GuestAddr{0x5000}, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    (void)memory->Write(GuestAddr{0x44ff0}, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    KdumpContents contents;
    contents.notes = "notes";
    contents.vmcoreinfo = "OSRELEASE=6.1.0\n";
    contents.ram = ranges;
    layout_ = *PlanKdump(contents);
    StringSink sink;
    EXPECT_TRUE(WriteKdump(layout_, *memory, sink, {}).ok());
    bytes_ = sink.content();
  }

  template <typename T>
  void Put(uint64_t offset, T value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(value));
  }

  absl::StatusOr<std::unique_ptr<KdumpFile>> Open() const { return KdumpFile::Open(MakeStringSource(bytes_)); }
  std::string WhyNot() const { return std::string(Open().status().message()); }

  // The offset of the page_desc of the page at 0x5000.
  uint64_t desc_of_page_5() const { return layout_.desc_offset + 5 * sizeof(PageDesc); }

  absl::Status ReadPage5() const {
    std::vector<uint8_t> page(kPageSize);
    return (*Open())->Read(GuestAddr{0x5000}, page);
  }

  KdumpLayout layout_;
  std::string bytes_;
};

TEST_F(KdumpFileTest, BytesAreReadAcrossPagesAndInParts) {
  const auto file = Open();
  ASSERT_TRUE(file.ok());
  std::string text(20, '\0');
  const auto out = std::span(reinterpret_cast<uint8_t*>(text.data()), text.size());
  ASSERT_TRUE((*file)->Read(GuestAddr{0x44ff0}, out).ok());
  EXPECT_EQ(text, "one page among zeros");
  ASSERT_TRUE((*file)->Read(GuestAddr{0x5004}, out.first(4)).ok());
  EXPECT_EQ(text.substr(0, 4), "page");
  std::vector<uint8_t> all(16 * kPageSize - 3, 0xff);
  ASSERT_TRUE((*file)->Read(GuestAddr{3}, all).ok());
  EXPECT_EQ(std::string(all.begin() + 0x4ffd, all.begin() + 0x4ffd + 8), "one page");
  EXPECT_EQ(all.front(), 0);
  EXPECT_EQ(all.back(), 0);
}

TEST_F(KdumpFileTest, WhatIsNoRamIsRefused) {
  const auto file = Open();
  std::vector<uint8_t> page(kPageSize);
  EXPECT_EQ((*file)->Read(GuestAddr{0x20000}, page).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ((*file)->Read(GuestAddr{0xf800}, page).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ((*file)->Read(GuestAddr{~0ull}, page).code(), absl::StatusCode::kOutOfRange);
}

TEST_F(KdumpFileTest, OnlyWhatIsNotZeroIsData) {
  const auto file = Open();
  const std::vector<GuestRange> expected = {{GuestAddr{0x5000}, kPageSize}, {GuestAddr{0x44000}, 2 * kPageSize}};
  EXPECT_EQ(*(*file)->DataExtents(), expected);
}

TEST_F(KdumpFileTest, AnythingElseIsNotOne) {
  EXPECT_FALSE(KdumpFile::IsKdump(*MakeStringSource("")));
  EXPECT_FALSE(KdumpFile::IsKdump(*MakeStringSource("\177ELF and so on")));
  EXPECT_TRUE(KdumpFile::IsKdump(*MakeStringSource(bytes_)));
  bytes_[0] = 'X';
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(KdumpFileTest, EachWrongHeaderFieldIsRefusedByName) {
  const std::string right = bytes_;
  const auto why_not = [&](auto offset, auto value) {
    bytes_ = right;
    Put(static_cast<uint64_t>(offset), value);
    return WhyNot();
  };
  EXPECT_THAT(why_not(8, 7), HasSubstr("header version 7"));
  EXPECT_THAT(why_not(8, 0), HasSubstr("header version 0"));
  EXPECT_THAT(why_not(428, 65536), HasSubstr("pages of 65536 bytes"));
  EXPECT_THAT(why_not(432, 0), HasSubstr("sub header has 0 blocks"));
  EXPECT_THAT(why_not(432, -1), HasSubstr("sub header has -1 blocks"));
  EXPECT_THAT(why_not(12 + 4 * 65, 'a'), HasSubstr("another machine"));
  EXPECT_THAT(why_not(436, 0u), HasSubstr("too small"));
  EXPECT_THAT(why_not(436, ~0u), HasSubstr("bitmaps pass the file's end"));
  EXPECT_THAT(why_not(kPageSize + 12, 1), HasSubstr("split"));
  EXPECT_THAT(why_not(kPageSize + 32, ~0ull), HasSubstr("pass the file's end"));
  EXPECT_THAT(why_not(kPageSize + 40, ~0ull), HasSubstr("more than the limit"));
  EXPECT_THAT(why_not(kPageSize + 56, 1ull << 20), HasSubstr("pass the file's end"));
  EXPECT_THAT(why_not(kPageSize + 96, 1ull << 40), HasSubstr("beyond the limit"));
}

TEST_F(KdumpFileTest, AFileThatWasCutAnywhereIsRefusedOrReadsAsDamaged) {
  const std::string right = bytes_;
  for (size_t size = 0; size < right.size(); size += 97) {
    bytes_ = right.substr(0, size);
    const auto file = Open();
    if (!file.ok()) continue;
    std::vector<uint8_t> page(kPageSize);
    EXPECT_FALSE((*file)->Read(GuestAddr{0x45000}, page).ok()) << size;
  }
}

TEST_F(KdumpFileTest, ADamagedPageIsRefusedByItsNumber) {
  for (const uint32_t size : {0u, 4097u, ~0u}) {
    Put(desc_of_page_5() + 8, size);
    EXPECT_THAT(std::string(ReadPage5().message()), HasSubstr("page 0x5"));
  }
  Put(desc_of_page_5() + 8, 40u);
  for (const uint64_t offset : {0ull, 4096ull, ~0ull, 1ull << 63}) {
    Put(desc_of_page_5(), offset);
    EXPECT_FALSE(ReadPage5().ok());
  }
  Put(desc_of_page_5() + 12, 0x80u);
  EXPECT_FALSE(ReadPage5().ok());
}

TEST_F(KdumpFileTest, MoreBlocksOfRamThanAnyMachineHasAreRefused) {
  constexpr uint64_t kPages = 1 << 18;
  bytes_.resize(layout_.bitmap_offset + 2 * kPages / 8);
  std::memset(bytes_.data() + layout_.bitmap_offset, 0x55, kPages / 8);
  std::memset(bytes_.data() + layout_.bitmap_offset + kPages / 8, 0, kPages / 8);
  Put(436, static_cast<uint32_t>(2 * kPages / 8 / kPageSize));
  Put(kPageSize + 96, kPages);
  EXPECT_THAT(WhyNot(), HasSubstr("more blocks of RAM"));
}

TEST_F(KdumpFileTest, AnOldHeaderHasNoYoungFields) {
  Put(8, 3);
  Put(440, static_cast<uint32_t>(0x50));
  Put(kPageSize + 56, ~0ull);
  Put(kPageSize + 96, ~0ull);
  const auto file = Open();
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->notes(), "");
  EXPECT_EQ((*file)->vmcoreinfo(), "OSRELEASE=6.1.0\n");
  EXPECT_TRUE(ReadPage5().ok());
}

}  // namespace
}  // namespace vmm
