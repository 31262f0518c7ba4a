#include "dump/xen/p2m.h"

#include "dump/xen/testing/made_up_xen.h"
#include "dump/xen/xen_budget.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::Optional;

class P2mTest : public testing::Test {
 protected:
  absl::StatusOr<P2m> Read(const MadeUpDomain& domain, uint64_t max_pfn) {
    return P2m::Read(machine_, domain.mfn_of(kMadeUpListList), max_pfn, frames_, meter_);
  }
  std::string WhyNot(const MadeUpDomain& domain, uint64_t max_pfn) {
    return std::string(Read(domain, max_pfn).status().message());
  }

  FlatMemory machine_ = MadeUpXen();
  Meter meter_{kXenBudget};
  FrameSet frames_{machine_.Ranges(), &meter_};
};

TEST_F(P2mTest, GivesTheMachineFrameOfEachPageAndTheReverse) {
  const absl::StatusOr<P2m> p2m = Read(MadeUpDom0(), 1027);
  ASSERT_TRUE(p2m.ok()) << p2m.status();
  EXPECT_EQ(p2m->pages(), 1024u);
  for (uint64_t pfn = 0; pfn < 1024; ++pfn) {
    EXPECT_THAT(p2m->MfnOf(pfn), Optional(2047 - pfn));
    EXPECT_THAT(p2m->PfnOf(2047 - pfn), Optional(pfn));
  }
  EXPECT_EQ(p2m->MfnOf(1024), std::nullopt);
  EXPECT_EQ(p2m->PfnOf(1023), std::nullopt);
  EXPECT_EQ(p2m->PfnOf(2048), std::nullopt);
}

TEST_F(P2mTest, KeepsNeighboursAsOneRun) {
  const absl::StatusOr<P2m> p2m = Read(MadeUpDomU(), 771);
  ASSERT_TRUE(p2m.ok()) << p2m.status();
  ASSERT_EQ(p2m->runs().size(), 1u);
  EXPECT_EQ(p2m->runs()[0].count, 768u);
}

TEST_F(P2mTest, LeavesOutForeignAndIdentityPages) {
  machine_.PutWord(MadeUpDomU().At(kMadeUpLeaf) + 8 * 100, (1ull << 63) | 2148);
  machine_.PutWord(MadeUpDomU().At(kMadeUpLeaf) + 8 * 101, (1ull << 62) | 101);
  const absl::StatusOr<P2m> p2m = Read(MadeUpDomU(), 771);
  ASSERT_TRUE(p2m.ok()) << p2m.status();
  EXPECT_EQ(p2m->pages(), 766u);
  EXPECT_EQ(p2m->MfnOf(100), std::nullopt);
  EXPECT_EQ(p2m->PfnOf(2149), std::nullopt);
}

TEST_F(P2mTest, RefusesAFrameThatOccursTwice) {
  machine_.PutWord(MadeUpDomU().At(kMadeUpLeaf) + 8 * 100, MadeUpDomU().mfn_of(99));
  EXPECT_THAT(WhyNot(MadeUpDomU(), 771), HasSubstr("PFN 0x64 has MFN 0x863, which is another's too"));
}

TEST_F(P2mTest, RefusesAFrameOutsideRam) {
  machine_.PutWord(MadeUpDomU().At(kMadeUpLeaf) + 8 * 100, kMadeUpRam / kPageSize);
  EXPECT_THAT(WhyNot(MadeUpDomU(), 771), HasSubstr("PFN 0x64 has MFN 0x1000, which is no RAM"));
}

TEST_F(P2mTest, RefusesATableThatIsNotTheDomainsOwnMemory) {
  machine_.PutWord(MadeUpDomU().At(kMadeUpLeaf) + 8 * kMadeUpList, UINT64_MAX);
  EXPECT_THAT(WhyNot(MadeUpDomU(), 771), HasSubstr("its table at MFN 0x80b is not its own memory"));
}

TEST_F(P2mTest, RefusesATableThatLeadsToItself) {
  const uint64_t list_list = MadeUpDomU().mfn_of(kMadeUpListList);
  for (uint64_t i = 0; i < 512; ++i) machine_.PutWord(list_list * kPageSize + 8 * i, list_list);
  EXPECT_THAT(WhyNot(MadeUpDomU(), kXenMaxP2mPfns), HasSubstr("another's too"));
}

TEST_F(P2mTest, RefusesSizesThatNoDomainHas) {
  EXPECT_THAT(WhyNot(MadeUpDomU(), 3), HasSubstr("max_pfn 3 is not in 512 to 134217728"));
  EXPECT_THAT(WhyNot(MadeUpDomU(), kXenMaxP2mPfns + 1), HasSubstr("max_pfn 134217729"));
}

TEST_F(P2mTest, LeavesTheSetOfFramesAsItWasAfterARefusal) {
  const uint64_t entry = MadeUpDomU().At(kMadeUpLeaf + 1) + 8 * (700 - 512);
  machine_.PutWord(entry, MadeUpDomU().mfn_of(99));
  ASSERT_FALSE(Read(MadeUpDomU(), 771).ok());
  EXPECT_FALSE(frames_.Has(2048));
  machine_.PutWord(entry, MadeUpDomU().mfn_of(700));
  EXPECT_TRUE(Read(MadeUpDomU(), 771).ok());
}

TEST_F(P2mTest, EndsWithItsBudget) {
  Meter small{Budget{"Xen's domains", 0, 3, "pages", 0}};
  const auto p2m = P2m::Read(machine_, MadeUpDomU().mfn_of(kMadeUpListList), 771, frames_, small);
  EXPECT_TRUE(absl::IsResourceExhausted(p2m.status())) << p2m.status();
}

}  // namespace
}  // namespace vmm
