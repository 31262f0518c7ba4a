#include "dump/nested/l2_registers.h"

#include <cstring>
#include <vector>

#include "dump/nested/testing/fixture.h"
#include "dump/nested/vmx/vmcs_region.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(L2RegistersTest, AVmcs12GivesWhatItsL2WasSetUpWith) {
  const std::vector<uint8_t> blob = Fixture("vmx-plain-F1-inL2.bin");
  const CpuState cpu = RegistersOf(VmcsRegion::Parse(std::span(blob).subspan(128))->vmcs12());
  EXPECT_EQ(0x5027u, cpu.rip);
  EXPECT_EQ(0x9000u, cpu.cr3);
  EXPECT_EQ(0x500u, cpu.efer & 0x500);
  EXPECT_EQ(8, cpu.cs.selector);
  EXPECT_TRUE(cpu.cs.l);
  EXPECT_TRUE(cpu.cs.present);
  EXPECT_EQ(11, cpu.cs.type);
  EXPECT_TRUE(cpu.cs.s);
  EXPECT_FALSE(cpu.tr.s);
  EXPECT_TRUE(cpu.ldt.unusable);
  EXPECT_TRUE(cpu.started);
}

TEST(L2RegistersTest, LongModeIsTheEntryControlsWordNotTheFields) {
  Vmcs12 vmcs12 = {};
  vmcs12.guest_ia32_efer = 0xd01;
  EXPECT_EQ(0x801u, RegistersOf(vmcs12).efer);
  vmcs12.vm_entry_controls = 1 << 9;
  vmcs12.guest_ia32_efer = 0;
  EXPECT_EQ(0x500u, RegistersOf(vmcs12).efer);
}

TEST(L2RegistersTest, OneThatWaitsForItsSipiWasNotStarted) {
  Vmcs12 vmcs12 = {};
  vmcs12.guest_activity_state = 3;
  EXPECT_FALSE(RegistersOf(vmcs12).started);
}

TEST(L2RegistersTest, AVmcbGivesWhatItsL2Had) {
  const std::vector<uint8_t> page = Fixture("svm-page2000-L1-2.bin");
  Vmcb12 vmcb;
  std::memcpy(&vmcb, page.data(), sizeof(vmcb));
  const CpuState cpu = RegistersOf(vmcb.save);
  EXPECT_EQ(0x501du, cpu.rip);
  EXPECT_EQ(0x3000u, cpu.rsp);
  EXPECT_EQ(0x31u, cpu.rax);
  EXPECT_EQ(0x9000u, cpu.cr3);
  EXPECT_EQ(0xc1ea918u, cpu.cr2);
  EXPECT_EQ(0xffff888000001000u, cpu.gs.base);
  EXPECT_TRUE(cpu.cs.l);
  EXPECT_TRUE(cpu.cs.g);
  EXPECT_FALSE(cpu.cs.db);
  EXPECT_EQ(11, cpu.tr.type);
  EXPECT_EQ(0x7000u, cpu.gdt.base);
  EXPECT_EQ(0x7fu, cpu.gdt.limit);
}

}  // namespace
}  // namespace vmm
