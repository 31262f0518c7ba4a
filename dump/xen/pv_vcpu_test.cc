#include "dump/xen/pv_vcpu.h"

#include <array>

#include "dump/xen/testing/made_up_xen.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class PvVcpuTest : public testing::Test {
 protected:
  std::vector<PvVcpu> Find(std::vector<CpuState> cpus) {
    const absl::StatusOr<XenMachine> xen = FindXen(machine_, cpus);
    EXPECT_TRUE(xen.ok()) << xen.status();
    if (!xen.ok() || !xen->has_dom0) return {};
    return FindPvVcpus(machine_, cpus, xen->domains[0]);
  }

  FlatMemory machine_ = MadeUpXen();
};

TEST_F(PvVcpuTest, HasTheRegistersThatXenSavedWhenTheGuestCalledIt) {
  const std::vector<PvVcpu> vcpus = Find({MadeUpXenCpu()});
  ASSERT_EQ(vcpus.size(), 1u);
  EXPECT_EQ(vcpus[0].id, 1u);
  EXPECT_EQ(vcpus[0].domain_id, 0u);
  EXPECT_EQ(vcpus[0].registers_from, "Xen's stack of CPU 0");
  const CpuState& cpu = vcpus[0].registers;
  EXPECT_EQ(cpu.rip, 0xffffffff8154469e);
  EXPECT_EQ(cpu.rsp, 0xffffc90040463ac0);
  EXPECT_EQ(cpu.rbx, 0xbbu);
  EXPECT_EQ(cpu.r15, 0x1515u);
  EXPECT_EQ(cpu.cr3, kMadeUpL4 * kPageSize);
  EXPECT_EQ(cpu.cs.selector & 3, 0) << "readers would take a kernel for user mode";
  EXPECT_EQ(cpu.idt.base, 0u) << "it is Xen's";
}

TEST_F(PvVcpuTest, HasTheCpusRegistersIfTheGuestItselfRan) {
  CpuState cpu = MadeUpXenCpu();
  cpu.rip = 0xffffffff8102043d;
  cpu.rsp = 0xffffffff82a03cc8;
  cpu.cs.selector = kXenGuestKernelCs;
  const std::vector<PvVcpu> vcpus = Find({cpu});
  ASSERT_EQ(vcpus.size(), 1u);
  EXPECT_EQ(vcpus[0].registers.rip, 0xffffffff8102043d);
  EXPECT_EQ(vcpus[0].registers_from, "CPU 0, where it ran");
}

TEST_F(PvVcpuTest, FindsTheRegistersWithoutATss) {
  CpuState cpu = MadeUpXenCpu();
  cpu.tr = {};
  const std::vector<PvVcpu> vcpus = Find({cpu});
  ASSERT_EQ(vcpus.size(), 1u);
  EXPECT_EQ(vcpus[0].registers.rip, 0xffffffff8154469e);
}

TEST_F(PvVcpuTest, LeavesOutAnIdleCpuAndOtherDomainsAndDamage) {
  CpuState other = MadeUpXenCpu();
  other.cr3 = MadeUpDomU().At(0);
  EXPECT_TRUE(Find({other}).empty());

  const uint64_t id = kMadeUpXenImage + kMadeUpXenDomain;
  machine_.PutWord(id, 0x7fff);
  EXPECT_TRUE(Find({MadeUpXenCpu()}).empty());
  machine_.PutWord(id, 0);

  machine_.PutWord(kMadeUpXenImage + kMadeUpVcpu, 0x7fffffff7fffffff);
  EXPECT_TRUE(Find({MadeUpXenCpu()}).empty());
}

TEST_F(PvVcpuTest, CountsTheVcpusThatAreNotKnownAsNotStarted) {
  const std::vector<CpuState> cpus = CpusOf(Find({MadeUpXenCpu()}));
  ASSERT_EQ(cpus.size(), 2u);
  EXPECT_FALSE(cpus[0].started);
  EXPECT_TRUE(cpus[1].started);
  EXPECT_EQ(CpusOf({}).size(), 1u);
}

}  // namespace
}  // namespace vmm
