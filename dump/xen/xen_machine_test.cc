#include "dump/xen/xen_machine.h"

#include <array>

#include "absl/strings/str_join.h"
#include "dump/xen/testing/made_up_xen.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::Optional;

class XenMachineTest : public testing::Test {
 protected:
  XenMachine Find() {
    const std::array cpus = {MadeUpXenCpu()};
    absl::StatusOr<XenMachine> xen = FindXen(machine_, cpus);
    EXPECT_TRUE(xen.ok()) << xen.status();
    return xen.ok() ? *std::move(xen) : XenMachine();
  }

  // Copies the shared_info page of `domain` to `at`.
  void PlantSharedInfo(const MadeUpDomain& domain, uint64_t at) {
    std::memcpy(&machine_.bytes()[at], &machine_.bytes()[domain.shared_info_mfn * kPageSize], kPageSize);
  }

  FlatMemory machine_ = MadeUpXen();
};

TEST_F(XenMachineTest, FindsDom0AndTheOtherDomainWithoutSymbols) {
  const XenMachine xen = Find();
  ASSERT_EQ(xen.domains.size(), 2u);
  EXPECT_TRUE(xen.has_dom0);
  EXPECT_EQ(xen.domains[0].info.at.value, 3100 * kPageSize);
  EXPECT_EQ(xen.domains[0].info.list_list, MadeUpDom0().mfn_of(kMadeUpListList));
  EXPECT_EQ(xen.domains[0].p2m->pages(), 1024u);
  EXPECT_TRUE(xen.domains[0].start.has_value());
  EXPECT_EQ(xen.domains[1].info.at.value, 3090 * kPageSize);
  EXPECT_FALSE(xen.domains[1].says_initial());
  EXPECT_TRUE(xen.remarks.empty()) << absl::StrJoin(xen.remarks, "\n");
}

TEST_F(XenMachineTest, FindsXensVersionAndPlace) {
  const XenMachine xen = Find();
  EXPECT_THAT(xen.xen_phys_start, Optional(kMadeUpXenStart));
  ASSERT_TRUE(xen.version.has_value());
  EXPECT_EQ(xen.version->major, 4u);
  EXPECT_EQ(xen.version->minor, 17u);
  EXPECT_EQ(xen.version->banner, "Xen version 4.17.7 (Debian 4.17.7+13) (gcc 12)");
}

TEST_F(XenMachineTest, BelievesNoVersionInAGuestsMemory) {
  std::memset(&machine_.bytes()[kMadeUpXenStart], 0, 0x4000);
  std::strcpy(reinterpret_cast<char*>(&machine_.bytes()[MadeUpDomU().At(200)]), "Xen version 6.66 (of a prank)");
  EXPECT_FALSE(Find().version.has_value());
}

TEST_F(XenMachineTest, IsKnownByItsCpus) {
  EXPECT_TRUE(RunsXen(std::array{MadeUpXenCpu()}));
  CpuState linux;
  linux.rip = 0xffffffff81000000;
  linux.idt.base = 0xfffffe0000000000;
  EXPECT_FALSE(RunsXen(std::array{linux}));
  CpuState guest = linux;  // in dom0's own code: the IDT is Xen's even so
  guest.idt.base = 0xffff83003aa80000;
  EXPECT_TRUE(RunsXen(std::array{linux, guest}));
  EXPECT_FALSE(RunsXen({}));
}

TEST_F(XenMachineTest, HasNoDomainsInEmptyMemory) {
  machine_ = FlatMemory{std::vector<uint8_t>(kMadeUpRam)};
  const XenMachine xen = Find();
  EXPECT_TRUE(xen.domains.empty());
  EXPECT_FALSE(xen.has_dom0);
  EXPECT_FALSE(xen.xen_phys_start.has_value());
}

TEST_F(XenMachineTest, RefusesASharedInfoThatAGuestPlantedInItsOwnMemory) {
  PlantSharedInfo(MadeUpDom0(), MadeUpDomU().At(300));
  PlantSharedInfo(MadeUpDomU(), MadeUpDomU().At(301));
  const XenMachine xen = Find();
  ASSERT_EQ(xen.domains.size(), 2u);
  EXPECT_EQ(xen.domains[0].info.at.value, 3100 * kPageSize);
  EXPECT_EQ(xen.domains[1].info.at.value, 3090 * kPageSize);
  EXPECT_THAT(xen.remarks, testing::ElementsAre(HasSubstr("0x92c000 is passed over: it lies in the memory of a domain"),
                                                HasSubstr("0x92d000 is passed over")));
}

TEST_F(XenMachineTest, RefusesADomainThatClaimsAnothersFrames) {
  MadeUpDomain thief = MadeUpDomU();
  thief.mfn_of = [](uint64_t pfn) { return 1500 + pfn; };  // dom0's, then the other domain's
  FlatMemory before = machine_;
  PutDomain(machine_, thief);
  // dom0 keeps its own structures, as the thief has only read them.
  PutDomain(machine_, MadeUpDom0());
  const XenMachine xen = Find();
  ASSERT_FALSE(xen.domains.empty());
  EXPECT_TRUE(xen.has_dom0);
  EXPECT_EQ(xen.domains[0].p2m->pages(), 1024u);
  for (size_t i = 1; i < xen.domains.size(); ++i) EXPECT_FALSE(xen.domains[i].says_initial());
}

TEST_F(XenMachineTest, TakesNoneForDom0IfTwoSayThatTheyAreIt) {
  MadeUpDomain pretender = MadeUpDomU();
  pretender.start_flags = kXenStartInitialDomain;
  PutDomain(machine_, pretender);
  const XenMachine xen = Find();
  EXPECT_EQ(xen.domains.size(), 2u);
  EXPECT_FALSE(xen.has_dom0);
  EXPECT_THAT(xen.remarks, testing::ElementsAre(HasSubstr("2 domains say that they are dom0")));
}

TEST_F(XenMachineTest, KnowsTheMagicOfAStartInfoWithAndWithoutItsP) {
  const uint64_t magic = MadeUpDom0().At(kMadeUpStartInfo);
  ASSERT_EQ(machine_.bytes()[magic + 14], 'p');
  machine_.bytes()[magic + 14] = '\0';
  EXPECT_TRUE(Find().domains[0].says_initial());
  machine_.bytes()[magic + 14] = '_';
  EXPECT_FALSE(Find().has_dom0);
}

TEST_F(XenMachineTest, BelievesNoStartInfoOutsideTheDomainsMemory) {
  const uint64_t start = MadeUpDom0().At(kMadeUpStartInfo);
  std::memcpy(&machine_.bytes()[MadeUpDomU().At(400)], &machine_.bytes()[start], kPageSize);
  std::memset(&machine_.bytes()[start], 0, kPageSize);
  EXPECT_FALSE(Find().has_dom0);
}

TEST_F(XenMachineTest, IsBoundedIfAllMemoryIsPlanted) {
  // Every free page is a copy of dom0's shared_info, each of which leads to a p2m that stands up to its checks.
  for (uint64_t mfn = 1; mfn < kMadeUpRam / kPageSize; ++mfn) {
    const bool used = (mfn >= 1024 && mfn < 3250) || mfn >= kMadeUpXenImage / kPageSize;
    if (!used) PlantSharedInfo(MadeUpDom0(), mfn * kPageSize);
  }
  const XenMachine xen = Find();
  ASSERT_EQ(xen.domains.size(), 2u);
  EXPECT_EQ(xen.domains[0].info.at.value, 3100 * kPageSize);
  EXPECT_THAT(xen.remarks, testing::Contains(HasSubstr("more than 1024 domains")));
}

TEST_F(XenMachineTest, FindsNoDomainInTablesOfAscendingNumbers) {
  std::vector<uint8_t> bytes(kMadeUpRam);
  for (uint64_t i = 0; i < kMadeUpRam / 8; ++i) {
    const uint64_t word = i % 4096;
    std::memcpy(&bytes[8 * i], &word, sizeof(word));
  }
  machine_ = FlatMemory(std::move(bytes));
  EXPECT_TRUE(Find().domains.empty());
}

}  // namespace
}  // namespace vmm
