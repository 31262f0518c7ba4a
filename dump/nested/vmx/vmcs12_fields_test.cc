#include "dump/nested/vmx/vmcs12_fields.h"

#include <bitset>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "dump/nested/testing/fixture.h"
#include "dump/testing/repository_file.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::bitset<kVmcs12PageSize> BytesOf(Vmcs12Layout layout) {
  std::bitset<kVmcs12PageSize> bytes;
  for (const VmcsField& field : Vmcs12Fields()) {
    for (int i = 0; field.since <= layout && i < field.size; ++i) bytes.set(field.offset + i);
  }
  return bytes;
}

// The padding that the struct names.
std::bitset<kVmcs12PageSize> Padding() {
  std::bitset<kVmcs12PageSize> bytes;
  const auto add = [&](size_t offset, size_t size) {
    for (size_t i = 0; i < size; ++i) bytes.set(offset + i);
  };
  add(offsetof(Vmcs12, padding), sizeof(Vmcs12::padding));
  add(offsetof(Vmcs12, padding64), sizeof(Vmcs12::padding64));
  add(offsetof(Vmcs12, dead_space), sizeof(Vmcs12::dead_space));
  add(offsetof(Vmcs12, paddingl), sizeof(Vmcs12::paddingl));
  add(offsetof(Vmcs12, padding32), sizeof(Vmcs12::padding32));
  return bytes;
}

// The value of `field` in the pattern of testdata/README.md.
uint64_t PatternOf(const VmcsField& field) {
  const uint64_t n = 1 + 128 * static_cast<uint64_t>(field.width()) + 32 * static_cast<uint64_t>(field.type()) +
                     (field.encoding >> 1 & 0x1ff);
  switch (field.width()) {
    case VmcsFieldWidth::k16: return 0xc000 | n;
    case VmcsFieldWidth::k32: return 0x5a5a0000 | n;
    case VmcsFieldWidth::k64: return (0x12340000 | n) << 32 | 0x77660000 | n;
    case VmcsFieldWidth::kNatural: return 0x5a5a5a5a00000000 | n << 40 | 0x77660000 | n;
  }
  return 0;
}

TEST(Vmcs12FieldsTest, KvmKept141FieldsBeforeCet) {
  int frozen = 0;
  int with_high_half = 0;
  for (const VmcsField& field : Vmcs12Fields()) {
    frozen += field.since == Vmcs12Layout::kFrozen;
    with_high_half += field.since == Vmcs12Layout::kFrozen && field.has_high_half();
  }
  EXPECT_EQ(141, frozen);
  EXPECT_EQ(37, with_high_half);
  EXPECT_EQ(147u, Vmcs12Fields().size());
}

TEST(Vmcs12FieldsTest, EveryFieldIsWhereARealKvmPutWhatVmwriteWrote) {
  const std::vector<uint8_t> blob = Fixture("vmx-plain-C-pattern.bin");
  ASSERT_EQ(128 + kVmcs12PageSize, blob.size());
  const Vmcs12Page page(blob.data() + 128, kVmcs12PageSize);
  int compared = 0;
  for (const VmcsField& field : Vmcs12Fields()) {
    if (field.since != Vmcs12Layout::kFrozen) continue;
    uint64_t expected = PatternOf(field);
    if (field.encoding >= 0x4814 && field.encoding <= 0x4822) expected &= 0x1f0ff;
    if (field.name == "vm_instruction_error") expected = 12;
    EXPECT_EQ(expected, GetVmcsField(page, field)) << field.name;
    ++compared;
  }
  EXPECT_EQ(141, compared);
}

TEST(Vmcs12FieldsTest, OutsideItsFieldsARealPageHasTheRevisionAndZeros) {
  const std::vector<uint8_t> blob = Fixture("vmx-plain-C-pattern.bin");
  ASSERT_EQ(128 + kVmcs12PageSize, blob.size());
  const auto known = BytesOf(Vmcs12Layout::kFrozen);
  for (size_t i = 4; i < kVmcs12PageSize; ++i) {
    EXPECT_TRUE(known[i] || blob[128 + i] == 0) << i;
  }
}

TEST(Vmcs12FieldsTest, EveryByteOfTheStructIsHeaderOrOneFieldOrPadding) {
  std::vector<int> owners(kVmcs12PageSize);
  for (const VmcsField& field : Vmcs12Fields()) {
    for (int i = 0; i < field.size; ++i) ++owners[field.offset + i];
  }
  const auto padding = Padding();
  for (size_t i = 0; i < kVmcs12PageSize; ++i) {
    const int expected = i < kVmcs12Size ? 1 : 0;
    EXPECT_EQ(expected, owners[i] + padding[i] + (i < 12 ? 1 : 0)) << i;
  }
}

TEST(Vmcs12FieldsTest, ALaterLayoutTakesOnlyWhatWasFree) {
  const auto added = BytesOf(Vmcs12Layout::kCet) & ~BytesOf(Vmcs12Layout::kFrozen);
  EXPECT_EQ(48u, added.count());
  for (size_t i = 0; i < kVmcs12PageSize; ++i) EXPECT_EQ(i >= 680 && i < 728, added[i]) << i;
}

TEST(Vmcs12FieldsTest, OfAllEncodingsThoseAreKnownThatARealKvmTook) {
  // 16 combinations of width and type, 32 indices each, and the upper halves. KVM took 178 of them.
  const auto count = [](Vmcs12Layout layout) {
    int known = 0;
    for (uint64_t encoding = 0; encoding < 0x10000; ++encoding)
      known += FindVmcsComponent(encoding, layout).has_value();
    return known;
  };
  EXPECT_EQ(178, count(Vmcs12Layout::kFrozen));
  EXPECT_EQ(184, count(Vmcs12Layout::kCet));
}

TEST(Vmcs12FieldsTest, AnEncodingNamesAFieldOrItsUpperHalf) {
  const auto full = FindVmcsComponent(0x201a, kNewestVmcs12Layout);
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ("ept_pointer", full->field->name);
  EXPECT_FALSE(full->high);
  const auto high = FindVmcsComponent(0x201b, kNewestVmcs12Layout);
  ASSERT_TRUE(high.has_value());
  EXPECT_EQ(full->field, high->field);
  EXPECT_TRUE(high->high);
}

TEST(Vmcs12FieldsTest, OnlyA64BitFieldHasAnUpperHalf) {
  EXPECT_FALSE(FindVmcsComponent(0x0801, kNewestVmcs12Layout).has_value());
  EXPECT_FALSE(FindVmcsComponent(0x4003, kNewestVmcs12Layout).has_value());
  EXPECT_FALSE(FindVmcsComponent(0x681f, kNewestVmcs12Layout).has_value());
}

TEST(Vmcs12FieldsTest, BitsThatAnEncodingDoesNotHaveMakeItUnknown) {
  EXPECT_FALSE(FindVmcsComponent(0x201a | 1u << 12, kNewestVmcs12Layout).has_value());
  EXPECT_FALSE(FindVmcsComponent(0x201a | 1u << 15, kNewestVmcs12Layout).has_value());
  EXPECT_FALSE(FindVmcsComponent(0x201a | 1ull << 32, kNewestVmcs12Layout).has_value());
}

TEST(Vmcs12FieldsTest, AFieldOfALaterLayoutIsUnknownToAnEarlierOne) {
  EXPECT_TRUE(FindVmcsComponent(0x682a, Vmcs12Layout::kCet).has_value());
  EXPECT_FALSE(FindVmcsComponent(0x682a, Vmcs12Layout::kFrozen).has_value());
}

TEST(Vmcs12FieldsTest, AFieldIsFoundByName) {
  ASSERT_NE(nullptr, FindVmcsField("guest_rip"));
  EXPECT_EQ(544, FindVmcsField("guest_rip")->offset);
  EXPECT_EQ(nullptr, FindVmcsField("guest_rap"));
}

TEST(Vmcs12FieldsTest, TheDocumentHasTheTable) {
  std::string expected;
  for (const VmcsField& field : Vmcs12Fields()) {
    expected += absl::StrFormat(
        "| 0x%03x | %d | 0x%04x | %s | %s | %s | %s | %s |\n", field.offset, field.size, field.encoding,
        field.has_high_half() ? absl::StrFormat("0x%04x", field.encoding + 1) : "-", VmcsFieldWidthName(field.width()),
        VmcsFieldTypeName(field.type()), field.name, field.since == Vmcs12Layout::kCet ? "6.18" : "4.18");
  }
  std::istringstream document(RepositoryFile("docs/abi/vmcs12.md"));
  std::string found;
  bool in_table = false;
  for (std::string line; std::getline(document, line);) {
    if (line.starts_with("| offset | size | encoding |")) in_table = true;
    if (line.empty()) in_table = false;
    if (in_table && line.starts_with("| 0x")) found += line + "\n";
  }
  EXPECT_EQ(expected, found) << "docs/abi/vmcs12.md must have this table:\n" << expected;
}

}  // namespace
}  // namespace vmm
