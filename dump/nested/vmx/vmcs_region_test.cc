#include "dump/nested/vmx/vmcs_region.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr VmxFeatures kFrozen = {.layout = Vmcs12Layout::kFrozen};
constexpr VmxFeatures kCet = {.layout = Vmcs12Layout::kCet};

uint64_t Read(VmcsRegion& region, uint64_t encoding, const VmxFeatures& features = {}) {
  uint64_t value = 0x0123456789abcdef;
  EXPECT_TRUE(region.Vmread(encoding, features, &value).ok()) << std::hex << encoding;
  return value;
}

std::vector<uint8_t> PageOf(const VmcsRegion& region) { return {region.page().begin(), region.page().end()}; }

uint64_t Distinct(const VmcsField& field) {
  return uint64_t{0x0101010101010101} * (1 + field.offset % 251u) &
         0xf0ffffff000100ff;  // passes the mask of access rights
}

TEST(VmcsRegionTest, ANewRegionHasKvmsRevisionAndNothingElse) {
  const VmcsRegion region;
  EXPECT_EQ(0x11e57ed0u, region.hdr());
  EXPECT_EQ(4092, std::count(region.page().begin() + 4, region.page().end(), 0));
}

TEST(VmcsRegionTest, EveryFieldThatIsWrittenReadsBackAndChangesNoOther) {
  VmcsRegion region;
  for (const VmcsField& field : Vmcs12Fields()) {
    ASSERT_TRUE(region.Vmwrite(field.encoding, kCet, Distinct(field)).ok()) << field.name;
  }
  for (const VmcsField& field : Vmcs12Fields()) {
    const uint64_t mask = field.size == 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * field.size) - 1;
    const uint64_t kept = field.encoding >= 0x4814 && field.encoding <= 0x4822 ? 0x1f0ff : ~uint64_t{0};
    EXPECT_EQ(Distinct(field) & mask & kept, Read(region, field.encoding)) << field.name;
  }
}

TEST(VmcsRegionTest, TheHalvesOfA64BitFieldAreWrittenOneByOne) {
  VmcsRegion region;
  ASSERT_TRUE(region.Vmwrite(0x201a, {}, 0x1111111122222222).ok());
  ASSERT_TRUE(region.Vmwrite(0x201b, {}, 0x5555555533333333).ok());
  EXPECT_EQ(0x3333333322222222u, Read(region, 0x201a));
  EXPECT_EQ(0x33333333u, Read(region, 0x201b));
}

TEST(VmcsRegionTest, AValueThatIsTooWideLosesItsUpperBits) {
  VmcsRegion region;
  ASSERT_TRUE(region.Vmwrite(0x0800, {}, 0xffffffffffff1234).ok());
  EXPECT_EQ(0x1234u, Read(region, 0x0800));
  EXPECT_EQ(0u, Read(region, 0x0802)) << "the next selector";
  ASSERT_TRUE(region.Vmwrite(0x4000, {}, 0x9876543212345678).ok());
  EXPECT_EQ(0x12345678u, Read(region, 0x4000));
}

TEST(VmcsRegionTest, AccessRightsKeepOnlyTheBitsThatExist) {
  VmcsRegion region;
  ASSERT_TRUE(region.Vmwrite(0x4814, {}, 0x5a5a014b).ok());
  EXPECT_EQ(0x4bu, Read(region, 0x4814));
  ASSERT_TRUE(region.Vmwrite(0x4822, {}, 0xffffffff).ok());
  EXPECT_EQ(0x1f0ffu, Read(region, 0x4822));
  ASSERT_TRUE(region.Vmwrite(0x4824, {}, 0xffffffff).ok());
  EXPECT_EQ(0xffffffffu, Read(region, 0x4824)) << "interruptibility is no access right";
}

TEST(VmcsRegionTest, AnUnsupportedComponentIsError12) {
  VmcsRegion region;
  uint64_t value = 7;
  EXPECT_EQ(VmxResult::FailValid(VmInstructionError::kUnsupportedComponent), region.Vmread(0x6402, {}, &value));
  EXPECT_EQ(7u, value);
  EXPECT_EQ(12u, region.vmcs12().vm_instruction_error);
  EXPECT_EQ(VmxResult::FailValid(VmInstructionError::kUnsupportedComponent), region.Vmwrite(0x8000, {}, 1));
}

TEST(VmcsRegionTest, AReadOnlyFieldIsError13UnlessTheCpuLetsItBeWritten) {
  VmcsRegion region;
  const VmxFeatures strict = {.vmwrite_read_only = false};
  EXPECT_EQ(VmxResult::FailValid(VmInstructionError::kVmwriteReadOnly), region.Vmwrite(0x4402, strict, 18));
  EXPECT_EQ(13u, region.vmcs12().vm_instruction_error);
  EXPECT_EQ(0u, Read(region, 0x4402));
  EXPECT_TRUE(region.Vmwrite(0x4402, {}, 18).ok());
  EXPECT_EQ(18u, Read(region, 0x4402));
}

TEST(VmcsRegionTest, ExactlyTheExitInformationIsReadOnly) {
  VmcsRegion region;
  int read_only = 0;
  for (const VmcsField& field : Vmcs12Fields()) {
    read_only += !region.Vmwrite(field.encoding, {.vmwrite_read_only = false}, 0).ok();
  }
  EXPECT_EQ(11, read_only);
}

TEST(VmcsRegionTest, ARegionIsLaunchedByItsFirstExit) {
  VmcsRegion region;
  EXPECT_EQ(VmInstructionError::kVmresumeNotLaunched, region.CheckVmresume().error);
  EXPECT_TRUE(region.CheckVmlaunch().ok());
  EXPECT_EQ(VmcsRegion::kClear, region.launch_state()) << "launching alone does not do it";
  region.VmExit(18, 0);
  EXPECT_EQ(VmInstructionError::kVmlaunchNotClear, region.CheckVmlaunch().error);
  EXPECT_TRUE(region.CheckVmresume().ok());
  region.Vmclear();
  EXPECT_TRUE(region.CheckVmlaunch().ok());
}

TEST(VmcsRegionTest, AFailedEntryDoesNotLaunch) {
  VmcsRegion region;
  region.VmExit(0x80000021, 4);
  EXPECT_EQ(VmcsRegion::kClear, region.launch_state());
  EXPECT_EQ(0x80000021u, region.vmcs12().vm_exit_reason);
  EXPECT_EQ(4u, region.vmcs12().exit_qualification);
}

TEST(VmcsRegionTest, AnAbortLeavesItsIndicatorAtByte4) {
  VmcsRegion region;
  region.Abort(4);
  EXPECT_EQ(4, region.page()[4]);
  EXPECT_EQ("host MSRs could not be loaded", VmxAbortName(region.abort()));
}

TEST(VmcsRegionTest, RealPagesAreReadBackByteForByte) {
  for (const std::string& name : Vmcs12BlobNames()) {
    const std::vector<uint8_t> blob = Fixture(name);
    const std::vector<uint8_t> page(blob.begin() + 128, blob.end());
    const auto region = VmcsRegion::Parse(page);
    ASSERT_TRUE(region.ok()) << name << region.status();
    EXPECT_EQ(page, PageOf(*region)) << name;
  }
}

TEST(VmcsRegionTest, APageOfAnotherSizeOrRevisionIsRefused) {
  std::vector<uint8_t> page = PageOf(VmcsRegion());
  page.pop_back();
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, VmcsRegion::Parse(page).status().code());
  page = PageOf(VmcsRegion());
  page[0] ^= 1;
  EXPECT_EQ("VMCS revision 0x11e57ed1 is not that of KVM, 0x11e57ed0", VmcsRegion::Parse(page).status().message());
  page[0] ^= 1;
  page[3] |= 0x80;
  ASSERT_TRUE(VmcsRegion::Parse(page).ok());
  EXPECT_TRUE(VmcsRegion::Parse(page)->shadow());
}

TEST(VmcsRegionTest, AnOldPageIsReadByNewCode) {
  VmcsRegion old;
  for (const VmcsField& field : Vmcs12Fields()) {
    if (field.since == Vmcs12Layout::kFrozen) {
      ASSERT_TRUE(old.Vmwrite(field.encoding, kFrozen, Distinct(field)).ok()) << field.name;
    }
  }
  auto read = VmcsRegion::Parse(old.page());
  ASSERT_TRUE(read.ok());
  for (const VmcsField& field : Vmcs12Fields()) {
    const bool known = field.since == Vmcs12Layout::kFrozen;
    EXPECT_EQ(known ? Read(old, field.encoding, kFrozen) : 0, Read(*read, field.encoding, kCet)) << field.name;
  }
}

TEST(VmcsRegionTest, ANewPageIsReadByOldCodeWhichLosesNothingOfIt) {
  VmcsRegion fresh;
  for (const VmcsField& field : Vmcs12Fields()) {
    ASSERT_TRUE(fresh.Vmwrite(field.encoding, kCet, Distinct(field)).ok()) << field.name;
  }
  auto read = VmcsRegion::Parse(fresh.page());
  ASSERT_TRUE(read.ok());
  for (const VmcsField& field : Vmcs12Fields()) {
    uint64_t value = 0;
    if (field.since == Vmcs12Layout::kFrozen) {
      EXPECT_EQ(Read(fresh, field.encoding, kCet), Read(*read, field.encoding, kFrozen)) << field.name;
    } else {
      VmcsRegion copy = *read;
      EXPECT_FALSE(copy.Vmread(field.encoding, kFrozen, &value).ok()) << field.name;
    }
  }
  // Old code changes a field that it knows. The rest stays as it came.
  ASSERT_TRUE(read->Vmwrite(0x681e, kFrozen, 0x1234).ok());
  ASSERT_TRUE(fresh.Vmwrite(0x681e, kCet, 0x1234).ok());
  EXPECT_EQ(PageOf(fresh), PageOf(*read));
}

TEST(VmcsRegionTest, WhatLiesBehindTheStructIsCarriedAlong) {
  std::vector<uint8_t> page = PageOf(VmcsRegion());
  for (size_t i = kVmcs12Size; i < page.size(); ++i) page[i] = static_cast<uint8_t>(i * 7);
  auto region = VmcsRegion::Parse(page);
  ASSERT_TRUE(region.ok());
  ASSERT_TRUE(region->Vmwrite(0x0812, {}, 0).ok()) << "the last field";
  EXPECT_EQ(page, PageOf(*region));
}

TEST(VmxErrorTest, ErrorsHaveNamesButTheThreeThatDoNotExist) {
  for (uint32_t error = 0; error <= 28; ++error) {
    const bool unused = error == 14 || error == 21 || error == 27;
    EXPECT_EQ(unused, VmInstructionErrorName(error) == "unknown") << error;
  }
  EXPECT_EQ("unknown", VmInstructionErrorName(29));
}

TEST(VmxErrorTest, AResultIsFlags) {
  EXPECT_EQ(0u, VmxResult::Succeed().rflags());
  EXPECT_EQ(1u, VmxResult::FailInvalid().rflags());
  EXPECT_EQ(0x40u, VmxResult::FailValid(VmInstructionError::kVmcallInRoot).rflags());
}

}  // namespace
}  // namespace vmm
