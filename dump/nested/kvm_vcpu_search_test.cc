#include "dump/nested/kvm_vcpu_search.h"

#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "base/guest_memory.h"
#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kDirectMap = 0xff45ccf840000000;
constexpr GuestAddr kVmcb{0x9000};
constexpr GuestAddr kRegs{0x5618};

// An L1 with a VMCB at kVmcb, and KVM's struct for its vCPU. regs[] are at kRegs. The pointers to the VMCB follow at
// the distance that was seen in Linux 6.1. General register n is 0x100 + n.
class KvmVcpuSearchTest : public ::testing::Test {
 protected:
  KvmVcpuSearchTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
    l1_ = *GuestMemory::Create(ranges);
    const std::vector<uint8_t> page = Fixture("svm-page2000-L1-2.bin");
    std::memcpy(&vmcb_.vmcb, page.data(), sizeof(vmcb_.vmcb));
    vmcb_.at = kVmcb;
    PutVcpu(kRegs);
    PutPointers(GuestAddr{kRegs.value + 0x1870});
  }

  void Put(GuestAddr at, uint64_t word) { ASSERT_TRUE(l1_->WriteObject(at, word).ok()); }

  void PutVcpu(GuestAddr at) {
    for (uint64_t i = 0; i < 16; ++i) Put({at.value + 8 * i}, 0x100 + i);
    Put({at.value + 8 * 4}, vmcb_.vmcb.save.rsp);
    Put({at.value + 8 * 16}, vmcb_.vmcb.save.rip + 3);  // KVM has emulated the VMMCALL
    Put({at.value + 8 * 17}, 0x10000fffdffff);          // avail, dirty
    Put({at.value + 8 * 18}, vmcb_.vmcb.save.cr0 | 0x10);
    Put({at.value + 8 * 20}, vmcb_.vmcb.save.cr2);
  }
  void PutPointers(GuestAddr at) {
    Put(at, kDirectMap + kVmcb.value);
    Put({at.value + 8}, kDirectMap + kVmcb.value);
    Put({at.value + 16}, kVmcb.value);
  }

  std::map<GuestAddr, KvmRegisters> Find() { return *FindSvmVcpus(*l1_, {&vmcb_, 1}, l1_cpus_); }

  std::unique_ptr<GuestMemory> l1_;
  std::vector<CpuState> l1_cpus_;
  FoundVmcb vmcb_;
};

TEST_F(KvmVcpuSearchTest, TheRegistersAreFoundByThePointerToTheVmcb) {
  const auto found = Find();
  ASSERT_EQ(1u, found.size());
  const KvmRegisters& registers = found.at(kVmcb);
  EXPECT_EQ(kRegs, registers.at);
  EXPECT_EQ(vmcb_.vmcb.save.rip + 3, registers.rip);
  CpuState cpu;
  cpu.rsp = 77;
  SetGeneralRegisters(registers, &cpu);
  const uint64_t in_order[] = {cpu.rax, cpu.rcx, cpu.rdx, cpu.rbx, 0x104,   cpu.rbp, cpu.rsi, cpu.rdi,
                               cpu.r8,  cpu.r9,  cpu.r10, cpu.r11, cpu.r12, cpu.r13, cpu.r14, cpu.r15};
  for (uint64_t i = 0; i < 16; ++i) EXPECT_EQ(0x100 + i, in_order[i]);
  EXPECT_EQ(77u, cpu.rsp) << "is the VMCB's";
  EXPECT_EQ(vmcb_.vmcb.save.cr2, cpu.cr2);
}

TEST_F(KvmVcpuSearchTest, RegistersThatDoNotAgreeWithTheVmcbAreNotTaken) {
  for (const uint64_t word : {4, 16, 18, 20}) {
    PutVcpu(kRegs);
    EXPECT_EQ(1u, Find().size());
    Put({kRegs.value + 8 * word}, 0x12345678);
    EXPECT_EQ(0u, Find().size()) << "word " << word;
  }
}

TEST_F(KvmVcpuSearchTest, OfTwoThatAgreeNeitherIsTaken) {
  PutVcpu(GuestAddr{kRegs.value + 0x400});
  EXPECT_EQ(0u, Find().size());
}

TEST_F(KvmVcpuSearchTest, AnotherCopyOfTheStructWithOtherRegistersMakesThemUnknown) {
  PutVcpu(GuestAddr{0x25618});
  PutPointers(GuestAddr{0x25618 + 0x1870});
  EXPECT_EQ(0u, Find().size());
}

TEST_F(KvmVcpuSearchTest, APageFullOfPointersToTheVmcbEndsTheSearch) {
  for (uint64_t i = 0; i < 100; ++i) PutPointers(GuestAddr{0x20000 + 0x100 * i});
  EXPECT_EQ(0u, Find().size());
}

TEST_F(KvmVcpuSearchTest, APointerThatIsNotOfTheDirectMapSaysNothing) {
  const GuestAddr pointer{kRegs.value + 0x1878};
  Put(pointer, kVmcb.value + 0x1000);
  EXPECT_EQ(0u, Find().size());
  Put(pointer, kDirectMap + kVmcb.value + 0x1000);
  EXPECT_EQ(0u, Find().size());
}

// Two vCPUs of L2. The second one's struct follows the first one's. KVM's values of the second one's RSP, RIP and CR2
// are from its last exit but one. This was seen in a stock L1 whose other CPU panicked.
class JustLeftTest : public KvmVcpuSearchTest {
 protected:
  static constexpr GuestAddr kSecondVmcb{0xb000}, kSecondRegs{kRegs.value + 0x10000};
  static constexpr GuestAddr kCode{0x30000};
  static constexpr uint64_t kText = 0xffffffff81000000;

  JustLeftTest() {
    vmcbs_.push_back(vmcb_);
    vmcbs_.push_back(vmcb_);
    vmcbs_[1].at = kSecondVmcb;
    for (uint64_t i = 0; i < 16; ++i) Put({kSecondRegs.value + 8 * i}, 0x200 + i);
    Put({kSecondRegs.value + 8 * 16}, 0x401096);
    Put({kSecondRegs.value + 8 * 18}, vmcb_.vmcb.save.cr0 | 0x10);
    const uint64_t pointer = kSecondRegs.value + 0x1870;
    for (const uint64_t offset : {0, 8}) Put(GuestAddr{pointer + offset}, kDirectMap + kSecondVmcb.value);
    Put(GuestAddr{pointer + 16}, kSecondVmcb.value);

    // L1's kernel text: 1 GiB, mapped to physical 0.
    Put(GuestAddr{0x20000 + 8 * (kText >> 39 & 511)}, 0x21063);
    Put(GuestAddr{0x21000 + 8 * (kText >> 30 & 511)}, 0x1e3);
    CpuState& cpu = l1_cpus_.emplace_back();
    cpu.started = true;
    cpu.cr3 = 0x20000;
    cpu.rip = AlignDown(kText, 1 << 30) + kCode.value;
  }

  std::map<GuestAddr, KvmRegisters> FindBoth() { return *FindSvmVcpus(*l1_, vmcbs_, l1_cpus_); }

  // Puts `code` so that it begins `before` bytes before the CPU's RIP.
  void PutCode(uint64_t before, std::vector<uint8_t> code) {
    ASSERT_TRUE(l1_->Write(GuestAddr{kCode.value - before}, code).ok());
  }

  std::vector<FoundVmcb> vmcbs_;
};

TEST_F(JustLeftTest, RegistersAreWhereThoseOfTheOtherVcpuAreAndTheRestIsTheVmcbs) {
  const auto found = FindBoth();
  ASSERT_EQ(2u, found.size());
  const KvmRegisters& registers = found.at(kSecondVmcb);
  EXPECT_EQ(kSecondRegs, registers.at);
  EXPECT_EQ(0x203u, registers.general[3]);
  EXPECT_EQ(vmcb_.vmcb.save.rax, registers.general[0]);
  EXPECT_EQ(vmcb_.vmcb.save.rip, registers.rip);
  EXPECT_EQ(vmcb_.vmcb.save.cr2, registers.cr2);
}

TEST_F(JustLeftTest, ACpuThatHasStoredNothingYetStillHasThem) {
  for (const bool cli : {false, true}) {
    PutCode(cli ? 4 : 3, {0x0f, 0x01, 0xd8});
    if (cli) PutCode(1, {0xfa});
    CpuState& cpu = l1_cpus_[0];
    cpu.rax = kSecondVmcb.value;
    cpu.rbx = 0x303, cpu.r15 = 0x30f, cpu.rsp = 0x304, cpu.cr2 = 0x314;
    const auto found = FindBoth();
    ASSERT_EQ(2u, found.size());
    const KvmRegisters& registers = found.at(kSecondVmcb);
    EXPECT_EQ(0u, registers.l1_vcpu);
    EXPECT_EQ(0x303u, registers.general[3]);
    EXPECT_EQ(0x30fu, registers.general[15]);
    EXPECT_EQ(vmcb_.vmcb.save.rax, registers.general[0]);
    EXPECT_EQ(vmcb_.vmcb.save.rsp, registers.general[4]);
    EXPECT_EQ(vmcb_.vmcb.save.rip, registers.rip);
    EXPECT_EQ(vmcb_.vmcb.save.cr2, registers.cr2);
  }
}

TEST_F(JustLeftTest, ACpuBehindTheVmrunOfAnotherGuestHasNothingOfThisOne) {
  PutCode(3, {0x0f, 0x01, 0xd8});
  l1_cpus_[0].rax = 0xc000;
  EXPECT_EQ(kSecondRegs, FindBoth().at(kSecondVmcb).at);
}

TEST_F(JustLeftTest, ACpuThatIsStoringThemMakesThemUnknown) {
  PutCode(104, {0x0f, 0x01, 0xd8, 0x58});
  EXPECT_EQ(1u, FindBoth().size());
  PutCode(90, {0x4c, 0x89, 0xb0, 0xb0, 0x01, 0, 0});  // R14
  EXPECT_EQ(1u, FindBoth().size());
  l1_cpus_[0].cr3 = 0x22000;
  EXPECT_EQ(1u, FindBoth().size()) << "nobody knows what code it is in";
}

TEST_F(JustLeftTest, ACpuThatHasStoredR15HasStoredAll) {
  PutCode(104, {0x0f, 0x01, 0xd8, 0x58});
  PutCode(20, {0x4c, 0x89, 0xb8, 0xb8, 0x01, 0, 0});
  EXPECT_EQ(2u, FindBoth().size());
  PutCode(20, {0x4c, 0x89, 0x78, 0x78, 0x90, 0x90, 0x90});  // before Linux 6.0
  EXPECT_EQ(2u, FindBoth().size());
  EXPECT_EQ(kSecondRegs, FindBoth().at(kSecondVmcb).at);
}

TEST_F(JustLeftTest, ACpuFarBehindAVmrunHasToldAllOrNothing) {
  PutCode(264, {0x0f, 0x01, 0xd8});
  EXPECT_EQ(2u, FindBoth().size());
}

TEST_F(JustLeftTest, WhereNothingElseWasFoundNobodyKnowsWhereToLook) {
  vmcbs_.erase(vmcbs_.begin());
  EXPECT_EQ(0u, FindBoth().size());
}

TEST_F(JustLeftTest, AnotherCr0IsOfSomethingElse) {
  Put({kSecondRegs.value + 8 * 18}, 0x12345678);
  EXPECT_EQ(1u, FindBoth().size());
}

// kvm_intel in L1: page tables at 0x10000 map the first GiB of its direct map.
class VmxVcpuSearchTest : public KvmVcpuSearchTest {
 protected:
  static constexpr uint64_t kDirect = 0xffff888000000000;
  static constexpr uint64_t kHostRsp = kDirect + 0x3f00;

  VmxVcpuSearchTest() {
    Put(GuestAddr{0x10000 + 8 * (kDirect >> 39 & 511)}, 0x11063);
    Put(GuestAddr{0x11000 + 8 * (kDirect >> 30 & 511)}, 0x1e3);
    vmcs12_.host_cr3 = 0x10000;
    vmcs12_.host_rsp = kHostRsp;
    vmcs12_.guest_cr0 = vmcb_.vmcb.save.cr0;
    vmcs12_.guest_rip = 0x5020;
    vmcs12_.guest_rsp = vmcb_.vmcb.save.rsp;
    Put(GuestAddr{0x3f00}, kDirect + kRegs.value);
    Put(kLoadedVmcs, kDirect + kVmcs.value);
    Put(GuestAddr{kLoadedVmcs.value + 0xa0}, kDirect + kLoadedVmcs.value);
  }

  static constexpr GuestAddr kVmcs{0x8000};
  static constexpr GuestAddr kLoadedVmcs{kRegs.value + 0x1900};
  Vmcs12 vmcs12_ = {};
};

TEST_F(VmxVcpuSearchTest, TheRegistersAreFoundByTheFrameThatHostRspPointsTo) {
  for (const uint64_t slot : {0, 8}) {  // Linux 6.0 and later; before 6.0
    Put(GuestAddr{0x3f00}, 0xffffffff81000000);
    Put(GuestAddr{0x3f00 + slot}, kDirect + kRegs.value);
    const auto found = FindVmxVcpu(*l1_, kVmcs, vmcs12_);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(kRegs, found->at);
    EXPECT_EQ(0x103u, found->general[3]);
    EXPECT_EQ(0x5020u, found->rip);
  }
}

TEST_F(VmxVcpuSearchTest, TheKernelGsBaseOfAnL2InUserModeIsShortlyBeforeTheVmcs) {
  constexpr uint64_t kPerCpu = 0xffff88800fc00000;
  const auto found = [&] { return FindVmxVcpu(*l1_, kVmcs, vmcs12_)->kernel_gs_base; };
  EXPECT_EQ(0u, found());
  Put(GuestAddr{kLoadedVmcs.value - 32}, 0x7f0012345740);  // L1's value, of a thread
  Put(GuestAddr{kLoadedVmcs.value - 24}, 0x7f00aaaaa000);  // L2's value, in its kernel
  EXPECT_EQ(0u, found());
  Put(GuestAddr{kLoadedVmcs.value - 24}, kPerCpu);
  EXPECT_EQ(kPerCpu, found());
  CpuState cpu;
  SetGeneralRegisters(*FindVmxVcpu(*l1_, kVmcs, vmcs12_), &cpu);
  EXPECT_EQ(kPerCpu, cpu.kernel_gs_base);
  Put(GuestAddr{kLoadedVmcs.value - 16}, kPerCpu + 0x40000);
  EXPECT_EQ(0u, found()) << "it is either of two";
}

TEST_F(VmxVcpuSearchTest, AFrameThatWasUsedAgainIsSeenThrough) {
  EXPECT_TRUE(FindVmxVcpu(*l1_, kVmcs, vmcs12_).ok());
  EXPECT_FALSE(FindVmxVcpu(*l1_, GuestAddr{0xa000}, vmcs12_).ok()) << "those of another vCPU";
  Put(GuestAddr{kLoadedVmcs.value + 0xa0}, kDirect);
  EXPECT_FALSE(FindVmxVcpu(*l1_, kVmcs, vmcs12_).ok());
  Put(GuestAddr{kLoadedVmcs.value + 0xa0}, kDirect + kLoadedVmcs.value);
  Put(GuestAddr{0x3f00}, kDirect + kRegs.value + 8);
  EXPECT_FALSE(FindVmxVcpu(*l1_, kVmcs, vmcs12_).ok());
  Put(GuestAddr{0x3f00}, 0x12345);
  EXPECT_FALSE(FindVmxVcpu(*l1_, kVmcs, vmcs12_).ok());
  vmcs12_.host_cr3 = ~0ull;
  EXPECT_FALSE(FindVmxVcpu(*l1_, kVmcs, vmcs12_).ok());
}

// Seen in a stock L1 with one CPU, which was running L1's shell when L1 died.
TEST_F(VmxVcpuSearchTest, WhereTheFrameWasUsedAgainTheStructIsFoundInMemory) {
  const IdleVmcs vmcs[] = {{kVmcs, vmcs12_}};
  Put(GuestAddr{0x3f00}, 0x12345);
  ASSERT_FALSE(FindVmxVcpu(*l1_, kVmcs, vmcs12_).ok());
  const auto found = *FindVmxVcpus(*l1_, vmcs);
  ASSERT_EQ(1u, found.size());
  EXPECT_EQ(kRegs, found.at(kVmcs).at);
  EXPECT_EQ(0x103u, found.at(kVmcs).general[3]);
  EXPECT_EQ(0x5020u, found.at(kVmcs).rip);
}

TEST_F(VmxVcpuSearchTest, WhatDoesNotAgreeWithTheVmcsIsNotItsStruct) {
  IdleVmcs vmcs[] = {{kVmcs, vmcs12_}};
  Put(GuestAddr{0x3f00}, 0x12345);
  vmcs[0].vmcs12.guest_cr4 = 1 << 20;  // SMEP
  EXPECT_EQ(0u, FindVmxVcpus(*l1_, vmcs)->size());
  vmcs[0].vmcs12.guest_cr4 = 1 << 13;  // VMXE, which L2 does not see
  EXPECT_EQ(1u, FindVmxVcpus(*l1_, vmcs)->size());
  vmcs[0].vmcs12.guest_rsp = 0xdead;  // KVM has RSP, and it differs
  EXPECT_EQ(0u, FindVmxVcpus(*l1_, vmcs)->size());
  Put(GuestAddr{kRegs.value + 8 * 17}, 0xff40ffef);  // KVM does not have it, and the value there is old
  EXPECT_EQ(1u, FindVmxVcpus(*l1_, vmcs)->size());
  Put(GuestAddr{kLoadedVmcs.value + 0xa0}, kDirect);
  EXPECT_EQ(0u, FindVmxVcpus(*l1_, vmcs)->size()) << "nothing points back to the VMCS's pointer";
}

}  // namespace
}  // namespace vmm
