// A kernel's image is a file from somebody else, and its symbols say where we write. This test applies pseudo-random
// damage to the symbols, a bounded amount and the same in each run. They may be refused or believed. But nothing
// outside the image may be written, and everything that was written must be taken back. FUZZ_STEPS in the environment
// sets another number of steps.
#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "dump/kernel/testing/made_up_kernel.h"
#include "dump/testing/fuzz_steps.h"
#include "gtest/gtest.h"
#include "vmm/catch/kernel_catch.h"

namespace vmm {
namespace {

using K = MadeUpKernel;

struct NoSink : PanicSink {
  void OnPanic(const PanicEvent&) override {}
};

std::span<const uint8_t> AllOf(const GuestMemory& memory) { return memory.Lend(memory.Ranges().front()); }

TEST(CatchFuzzTest, OnlyTheImageIsWrittenToAndAllIsTakenBack) {
  K kernel;
  GuestMemory& memory = kernel.guest().memory();
  const LoadedKernel loaded{.direct = true,
                            .physical_base = LinuxGuest::kImagePhys,
                            .image_size = LinuxGuest::kImageSize,
                            .virtual_base = LinuxGuest::kText};
  const GuestRange image{GuestAddr{LinuxGuest::kImagePhys}, LinuxGuest::kImageSize};
  constexpr size_t kTables = 0x6000;  // the size of the made-up kallsyms, and a little more
  const std::vector<uint8_t> healthy = *kernel.memory().ReadBytes(K::kKallsyms, kTables);
  std::mt19937_64 random(FuzzSeed(7));
  NoSink sink;
  uint64_t caught_something = 0;
  const uint64_t steps = FuzzSteps(60);
  for (uint64_t step = 0; step < steps; ++step) {
    std::string tables(healthy.begin(), healthy.end());
    for (uint64_t i = random() % 6; i > 0; --i) {
      char& byte = tables[random() % tables.size()];
      byte = random() % 2 == 0 ? static_cast<char>(random()) : static_cast<char>(byte ^ 1 << random() % 8);
    }
    kernel.Put(K::kKallsyms, tables);
    const std::vector<uint8_t> before(AllOf(memory).begin(), AllOf(memory).end());
    KernelCatch caught({}, loaded, memory, sink);
    const CatchReport report = caught.report();
    ASSERT_NE(report.points.empty(), report.why_none.empty());
    for (const CatchPoint& point : report.points) {
      ASSERT_TRUE(image.Contains({point.phys, kPlantedOut.size()})) << point.function;
    }
    caught_something += report.points.empty() ? 0 : 1;
    caught.Remove();
    ASSERT_TRUE(std::ranges::equal(AllOf(memory), before));
  }
  EXPECT_GT(caught_something, steps / 20) << "most changes hit what nobody checks";
  EXPECT_LT(caught_something, steps);
}

}  // namespace
}  // namespace vmm
