#include "dump/nested/vmx/vmcs12_scan.h"

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "base/guest_memory.h"
#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using Kind = FoundVmcs::Kind;

VmcsRegion RealRegion() {
  const std::vector<uint8_t> blob = Fixture("vmx-plain-G-afterL2.bin");
  return *VmcsRegion::Parse(std::span(blob).subspan(128));
}

Kind KindWith(std::string_view field, uint64_t value) {
  VmcsRegion region = RealRegion();
  region.Set(*FindVmcsField(field), value);
  return ClassifyVmcs(GuestAddr{0}, region).kind;
}

TEST(Vmcs12ScanTest, RealL1RamHasItsVmxonRegionAndAStalePage) {
  const auto memory = FixtureMemory("vmx-plain-guestmem.bin.xz");
  // A second VMCS and its shadow, as L1 would have them.
  ASSERT_TRUE(memory->Write(GuestAddr{0x300000}, RealRegion().page()).ok());
  ASSERT_TRUE(memory->WriteObject(GuestAddr{0x301000}, kVmcs12Revision | kVmcsShadowBit).ok());
  ASSERT_TRUE(memory->WriteObject(GuestAddr{0x302008}, kVmcs12Revision).ok());  // not at a page's start

  std::map<uint64_t, Kind> found;
  ASSERT_TRUE(ScanForVmcs12(*memory, [&](const FoundVmcs& vmcs) {
                found[vmcs.at.value] = vmcs.kind;
                return true;
              }).ok());
  const std::map<uint64_t, Kind> expected = {
      {0x1000, Kind::kEmpty},  // the VMXON region
      {0x2000, Kind::kOther},  // the current one, stale: still the pattern from the previous VMCLEAR
      {0x300000, Kind::kVmcs12},
      {0x301000, Kind::kShadow},
  };
  EXPECT_EQ(expected, found);
}

TEST(Vmcs12ScanTest, AVisitorMayStop) {
  const auto memory = FixtureMemory("vmx-plain-guestmem.bin.xz");
  int visits = 0;
  ASSERT_TRUE(ScanForVmcs12(*memory, [&](const FoundVmcs&) { return ++visits < 1; }).ok());
  EXPECT_EQ(1, visits);
}

TEST(Vmcs12ScanTest, WhatKvmWouldNotEnterIsDoubted) {
  EXPECT_EQ(Kind::kVmcs12, ClassifyVmcs(GuestAddr{0}, RealRegion()).kind);
  EXPECT_EQ(Kind::kOther, KindWith("vmcs_link_pointer", 0x1234));
  EXPECT_EQ(Kind::kOther, KindWith("host_cr0", 0x31));
  EXPECT_EQ(Kind::kOther, KindWith("host_cr4", 0x20));
  EXPECT_EQ(Kind::kOther, KindWith("guest_cr4", 0x20));
  VmcsRegion region = RealRegion();
  region.Abort(0xdead);
  EXPECT_EQ("abort 0xdead is none", ClassifyVmcs(GuestAddr{0}, region).doubt);
}

TEST(Vmcs12ScanTest, ALayoutOfBefore418IsDoubted) {
  // The places of the fields in 2013. The revision was the same.
  VmcsRegion now = RealRegion();
  std::vector<uint8_t> page(kVmcs12PageSize);
  std::memcpy(page.data(), now.page().data(), 12);
  const struct {
    const char* name;
    size_t offset;
  } kOld[] = {{"ept_pointer", 112}, {"vmcs_link_pointer", 128}, {"guest_cr3", 376}, {"guest_rip", 488},
              {"host_cr3", 536},    {"host_rip", 616},          {"guest_cr4", 384}, {"host_cr4", 544}};
  for (const auto& [name, offset] : kOld) {
    const uint64_t value = now.Get(*FindVmcsField(name));
    std::memcpy(page.data() + offset, &value, sizeof(value));
  }
  EXPECT_EQ(Kind::kOther, ClassifyVmcs(GuestAddr{0}, *VmcsRegion::Parse(page)).kind);
}

}  // namespace
}  // namespace vmm
