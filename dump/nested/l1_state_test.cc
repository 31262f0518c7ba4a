#include "dump/nested/l1_state.h"

#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

CpuState CpuWith(std::string_view fixture) {
  CpuState cpu;
  cpu.rip = 0x12345;
  cpu.cr3 = 0xabc000;
  cpu.apic_base = 0xfee00900;
  cpu.nested = {.bytes = Fixture(fixture), .max_size = 8320};
  return cpu;
}

TEST(L1StateTest, OnVmxItIsTheHostStateOfTheVmcsThatL2RunsOn) {
  const std::optional<CpuState> l1 = L1State(CpuWith("vmx-plain-F1-inL2.bin"));
  ASSERT_TRUE(l1.has_value());
  EXPECT_EQ(l1->cr0 & 0x80000001, 0x80000001u);
  EXPECT_EQ(l1->cr4 & 0x2020, 0x2020u);
  EXPECT_EQ(l1->efer & 0x500, 0x500u);
  EXPECT_EQ(l1->cs.selector, 8);
  EXPECT_TRUE(l1->cs.l);
  EXPECT_NE(l1->rip, 0x12345u);
  EXPECT_EQ(l1->cr3, 0x9000u);
  EXPECT_EQ(l1->apic_base, 0xfee00900u);
}

TEST(L1StateTest, OnSvmItIsWhatKvmKeptOfL1) {
  const std::optional<CpuState> l1 = L1State(CpuWith("svm-L2-49.bin"));
  ASSERT_TRUE(l1.has_value());
  EXPECT_EQ(l1->rip, 0x10031u);  // after L1's VMRUN
  EXPECT_EQ(l1->rax, 0x2000u);   // its operand, the VMCB
  EXPECT_EQ(l1->rsp, 0x20000u);
  EXPECT_EQ(l1->gdt.base, 0xc000u);
  EXPECT_EQ(l1->efer & 0x1500, 0x1500u);
  EXPECT_TRUE(l1->cs.l);
}

TEST(L1StateTest, WhereL2DidNotRunTheRegistersAreL1sAnyway) {
  EXPECT_FALSE(L1State(CpuState{}).has_value());
  EXPECT_FALSE(L1State(CpuWith("vmx-plain-G-afterL2.bin")).has_value());
  EXPECT_FALSE(L1State(CpuWith("svm-L1-1.bin")).has_value());
}

TEST(L1StateTest, AStateThatCannotBeReadGivesNothing) {
  CpuState cpu = CpuWith("vmx-plain-F1-inL2.bin");
  cpu.nested.bytes.resize(200);
  EXPECT_FALSE(L1State(cpu).has_value());
}

}  // namespace
}  // namespace vmm
