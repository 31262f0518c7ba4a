// A guest may have anything in its memory. These machines have damaged tables, half of them the p2m and shared_info of
// the true domains: the search must find no domain where there is none. FUZZ_STEPS or FUZZ_SECONDS in the environment
// asks for more than the default.
#include <array>
#include <iterator>

#include "dump/testing/fuzz_steps.h"
#include "dump/testing/mutator.h"
#include "dump/xen/testing/made_up_xen.h"
#include "dump/xen/xen_machine.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(XenFuzzTest, ADamagedMachineHasNoFalseDomain) {
  const uint64_t hot[] = {3090,
                          3100,
                          MadeUpDom0().mfn_of(kMadeUpListList),
                          MadeUpDom0().mfn_of(kMadeUpList),
                          MadeUpDom0().mfn_of(kMadeUpLeaf),
                          MadeUpDomU().mfn_of(kMadeUpListList)};
  Mutator random(FuzzSeed(17));
  FuzzRun run(100'000, /*weight=*/1000);
  while (run.Step()) {
    FlatMemory machine = MadeUpXen();
    for (int change = 0; change < 8; ++change) {
      const uint64_t page = change % 2 == 0 ? hot[random.Below(std::size(hot))] : random.Below(kMadeUpRam / kPageSize);
      const uint64_t value = random.Number();
      machine.PutWord(page * kPageSize + random.Below(512) * 8, random.Below(3) == 0 ? value : value % 4096);
    }
    const absl::StatusOr<XenMachine> xen = FindXen(machine, std::array{MadeUpXenCpu()});
    ASSERT_TRUE(xen.ok()) << xen.status();
    ASSERT_LE(xen->domains.size(), 2u) << "step " << run.steps();
    for (const PvDomain& domain : xen->domains) {
      ASSERT_TRUE(domain.info.at.value == 3090 * kPageSize || domain.info.at.value == 3100 * kPageSize) << run.steps();
    }
  }
}

}  // namespace
}  // namespace vmm
