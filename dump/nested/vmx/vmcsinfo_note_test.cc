#include "dump/nested/vmx/vmcsinfo_note.h"

#include <cstring>
#include <string>
#include <vector>

#include "dump/nested/testing/fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A note with one entry.
std::string Note(uint32_t encoding, uint64_t encoded) {
  std::string desc(16, '\0');
  std::memcpy(desc.data() + 4, &encoding, sizeof(encoding));
  std::memcpy(desc.data() + 8, &encoded, sizeof(encoded));
  return desc;
}

std::string Error(const std::string& desc) { return std::string(VmcsInfo::Parse(Bytes(desc)).status().message()); }

TEST(VmcsInfoNoteTest, BeginsWithTheRevisionAndIsMadeOfTwelveByteEntries) {
  const std::string desc = MakeVmcsInfoNote(Vmcs12Layout::kFrozen);
  EXPECT_EQ(4u + 141 * 12, desc.size());
  EXPECT_EQ(std::string("\xd0\x7e\xe5\x11", 4), desc.substr(0, 4));
  // io_bitmap_a: field 0x2000 at 0x28.
  EXPECT_EQ(std::string("\x00\x20\x00\x00\x28\x00\x2a\x00\x2c\x00\x2e\x00", 12), desc.substr(4, 12));
  EXPECT_EQ(4u + 147 * 12, MakeVmcsInfoNote(Vmcs12Layout::kCet).size());
}

TEST(VmcsInfoNoteTest, ReadBackItHasEveryFieldAtItsOffset) {
  const auto info = VmcsInfo::Parse(Bytes(MakeVmcsInfoNote(Vmcs12Layout::kCet)));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(kVmcs12Revision, info->revision());
  EXPECT_EQ(Vmcs12Fields().size(), info->encoded_offsets().size());
  for (const VmcsField& field : Vmcs12Fields()) EXPECT_EQ(field.offset, info->Offset(field.encoding)) << field.name;
  EXPECT_FALSE(info->Offset(0x6402).has_value());
}

TEST(VmcsInfoNoteTest, WithItARealVmcsIsReadWithoutKnowingKvmsStruct) {
  const auto info = VmcsInfo::Parse(Bytes(MakeVmcsInfoNote(Vmcs12Layout::kFrozen)));
  ASSERT_TRUE(info.ok());
  const std::vector<uint8_t> blob = Fixture("vmx-plain-C-pattern.bin");
  ASSERT_EQ(128 + kVmcs12PageSize, blob.size());
  const Vmcs12Page page(blob.data() + 128, kVmcs12PageSize);
  for (const auto& [encoding, encoded] : info->encoded_offsets()) {
    const auto component = FindVmcsComponent(encoding, Vmcs12Layout::kFrozen);
    ASSERT_TRUE(component.has_value());
    EXPECT_EQ(GetVmcsField(page, *component->field), info->Read(page, encoding)) << component->field->name;
  }
  EXPECT_FALSE(info->Read(page, 0x6402).has_value());
}

TEST(VmcsInfoNoteTest, AFieldWhoseWordsAreScatteredIsGathered) {
  // The pin-based controls of a Core 2, as the series of 2012 shows them.
  const auto info = VmcsInfo::Parse(Bytes(Note(0x4000, 0x01840180)));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_FALSE(info->Offset(0x4000).has_value());
  std::vector<uint8_t> page(kVmcs12PageSize);
  page[0x180] = 0x16;
  page[0x184] = 0x05;
  EXPECT_EQ(0x00050016u, info->Read(Vmcs12Page(page), 0x4000));
}

TEST(VmcsInfoNoteTest, ANoteOfTheWrongSizeIsRefused) {
  EXPECT_EQ("VMCSINFO: 0 bytes are not a revision and entries of 12", Error(""));
  EXPECT_THAT(Error(std::string(15, '\0')), HasSubstr("15 bytes"));
  EXPECT_THAT(Error(std::string(4 + 12 * 1025, '\0')), HasSubstr("1025 fields"));
  EXPECT_EQ("", Error(std::string(4, '\0')));
}

TEST(VmcsInfoNoteTest, AnEncodingThatNoCpuCanHaveIsRefused) {
  for (const uint32_t encoding : {0x1000u, 0x8000u, 0x2001u, 0x80000000u}) {
    EXPECT_THAT(Error(Note(encoding, 0)), HasSubstr("VMCSINFO: field 0x")) << encoding;
  }
}

TEST(VmcsInfoNoteTest, AnOffsetOutsideAPageIsRefused) {
  EXPECT_THAT(Error(Note(0x0800, 0x1000)), HasSubstr("at 0x1000"));
  EXPECT_THAT(Error(Note(0x4000, 0x1000'0ffe)), HasSubstr("at 0x10000ffe"));
  EXPECT_THAT(Error(Note(0x0800, 3)), HasSubstr("at 0x3"));
  EXPECT_THAT(Error(Note(0x0800, 0x0002'0000)), HasSubstr("at 0x20000")) << "a 16-bit field has one word";
  EXPECT_EQ("", Error(Note(0x0800, 0xffe)));
}

TEST(VmcsInfoNoteTest, AFieldThatComesTwiceIsRefused) {
  std::string desc = Note(0x0800, 2);
  desc += desc.substr(4);
  EXPECT_EQ("VMCSINFO: field 0x0800 comes twice", Error(desc));
}

}  // namespace
}  // namespace vmm
