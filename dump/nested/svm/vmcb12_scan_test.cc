#include "dump/nested/svm/vmcb12_scan.h"

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/guest_memory.h"
#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// A VMCB that KVM ran: L2 made a VMMCALL.
Vmcb12 Good() {
  const std::vector<uint8_t> page = Fixture("svm-page2000-L1-2.bin");
  Vmcb12 vmcb = {};
  std::memcpy(&vmcb, page.data(), sizeof(vmcb));
  return vmcb;
}

std::vector<GuestAddr> Scan(const PhysicalMemory& memory) {
  std::vector<GuestAddr> found;
  EXPECT_TRUE(ScanForVmcb12(memory, [&](const FoundVmcb& vmcb) {
                found.push_back(vmcb.at);
                return true;
              }).ok());
  return found;
}

TEST(Vmcb12ScanTest, TheVmcbsOfARealL1AreNotDoubted) {
  for (const char* name :
       {"svm-page2000-L1-1.bin", "svm-page2000-L1-2.bin", "svm-page2000-L1-3.bin", "svm-page2000-L2-49.bin"}) {
    const std::vector<uint8_t> page = Fixture(name);
    Vmcb12 vmcb;
    std::memcpy(&vmcb, page.data(), sizeof(vmcb));
    EXPECT_EQ("", DoubtOfVmcb12(vmcb)) << name;
  }
}

TEST(Vmcb12ScanTest, InARealL1ThereIsExactlyOne) {
  EXPECT_EQ(std::vector<GuestAddr>{GuestAddr{0x2000}}, Scan(*FixtureMemory("svm-guestmem.bin.xz")));
  EXPECT_TRUE(Scan(*FixtureMemory("vmx-plain-guestmem.bin.xz")).empty());
}

TEST(Vmcb12ScanTest, EachThingThatCannotBeIsDoubted) {
  const std::function<void(Vmcb12&)> kWrong[] = {
      [](Vmcb12& v) { v.control.intercepts[4] &= ~1u; },
      [](Vmcb12& v) { v.control.asid = 0; },
      [](Vmcb12& v) { v.control.asid = 1 << 16; },
      [](Vmcb12& v) { v.control.reserved018[0] = 1; },
      [](Vmcb12& v) { v.control.reserved05d[2] = 1; },
      [](Vmcb12& v) { v.control.reserved110[0x3df - 0x110] = 1; },
      [](Vmcb12& v) { v.control.nested_cr3 = 0; },
      [](Vmcb12& v) { v.control.nested_cr3 |= 8; },
      [](Vmcb12& v) { v.control.nested_cr3 |= 1ull << 52; },
      [](Vmcb12& v) { v.save.efer &= ~0x1000ull; },
      [](Vmcb12& v) { v.save.efer &= ~0x400ull; },
      [](Vmcb12& v) { v.save.efer |= 2; },
      [](Vmcb12& v) { v.save.cr0 |= 1ull << 32; },
      [](Vmcb12& v) { v.save.cr0 &= ~1ull; },
      [](Vmcb12& v) { v.save.cr0 |= 1 << 29; },
      [](Vmcb12& v) { v.save.cr3 = ~0ull; },
      [](Vmcb12& v) { v.save.cr4 |= 1 << 15; },
      [](Vmcb12& v) { v.save.rflags = 0; },
      [](Vmcb12& v) { v.save.rflags |= 8; },
      [](Vmcb12& v) { v.save.rip = 1ull << 57; },
      [](Vmcb12& v) { v.save.cpl = 4; },
      [](Vmcb12& v) { v.save.tr.attrib |= 0x1000; },
      [](Vmcb12& v) { v.save.idtr.limit = 0x10000; },
      [](Vmcb12& v) { v.save.reserved0a0[0] = 1; },
  };
  for (size_t i = 0; i < std::size(kWrong); ++i) {
    Vmcb12 vmcb = Good();
    kWrong[i](vmcb);
    EXPECT_NE("", DoubtOfVmcb12(vmcb)) << "case " << i;
  }
}

TEST(Vmcb12ScanTest, OneWithoutNestedPagingNeedsNoTable) {
  Vmcb12 vmcb = Good();
  vmcb.control.nested_ctl = 0;
  vmcb.control.nested_cr3 = 0;
  EXPECT_EQ("", DoubtOfVmcb12(vmcb));
}

TEST(Vmcb12ScanTest, PagesOfOneWordAreNone) {
  const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
  const auto memory = *GuestMemory::Create(ranges);
  uint64_t at = 0;
  for (const uint64_t word : {~0ull, 1ull, 0x1000100010001000ull, 0xffff888000001000ull, 0x0101010101010101ull}) {
    const std::vector<uint64_t> page(512, word);
    ASSERT_TRUE(memory->Write(GuestAddr{at}, {reinterpret_cast<const uint8_t*>(page.data()), kPageSize}).ok());
    at += kPageSize;
  }
  EXPECT_TRUE(Scan(*memory).empty());
}

TEST(Vmcb12ScanTest, AVisitorMayStop) {
  const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
  const auto memory = *GuestMemory::Create(ranges);
  for (const uint64_t at : {0x3000, 0x5000}) ASSERT_TRUE(memory->WriteObject(GuestAddr{at}, Good()).ok());
  EXPECT_EQ(2u, Scan(*memory).size());
  int visits = 0;
  ASSERT_TRUE(ScanForVmcb12(*memory, [&](const FoundVmcb&) { return ++visits < 1; }).ok());
  EXPECT_EQ(1, visits);
}

}  // namespace
}  // namespace vmm
