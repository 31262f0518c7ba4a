#include "vmm/catch/kernel_catch.h"

#include <algorithm>
#include <vector>

#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"
#include "vmm/vcpu/testing/scripted_vcpu.h"

namespace vmm {
namespace {

using K = MadeUpKernel;

constexpr uint64_t kPlantedAt = K::kStopOthers + 9;

class KernelCatchTest : public testing::Test, public PanicSink {
 protected:
  void OnPanic(const PanicEvent& event) override { panics_.push_back(event); }

  // The result of a loader that placed the image itself.
  LoadedKernel Direct() const {
    return {.direct = true,
            .physical_base = LinuxGuest::kImagePhys,
            .image_size = LinuxGuest::kImageSize,
            .virtual_base = LinuxGuest::kText};
  }
  LoadedKernel Classic() const { return {.physical_base = 0x1000000}; }

  bool IsPlanted() { return std::ranges::equal(*kernel_.memory().ReadBytes(kPlantedAt, 2), kPlantedOut); }

  K kernel_;
  GuestMemory& memory_ = kernel_.guest().memory();
  std::vector<PanicEvent> panics_;
  ScriptedVcpu vcpu_;
  uint8_t byte_[1] = {};
};

TEST_F(KernelCatchTest, AnImageThatWePlacedIsPlantedInBeforeItRuns) {
  const KernelCatch caught({}, Direct(), memory_, *this);
  EXPECT_TRUE(IsPlanted());
  const CatchReport report = caught.report();
  ASSERT_EQ(report.points.size(), 2u);
  EXPECT_EQ(report.points[0].function, "native_stop_other_cpus");
  EXPECT_EQ(report.points[0].address, kPlantedAt);
  EXPECT_EQ(report.why_none, "");
}

TEST_F(KernelCatchTest, AKernelThatDecompressesItselfIsPlantedInWhenItRuns) {
  KernelCatch caught({}, Classic(), memory_, *this);
  CpuState cpu = kernel_.snapshot().cpus[0];
  cpu.rip = 0x1000200;  // its own decompressor
  vcpu_.set_state(cpu);
  for (int i = 0; i < 10; ++i) caught.AfterExit(vcpu_);
  EXPECT_FALSE(IsPlanted());
  EXPECT_EQ(caught.report().why_none, "the kernel decompresses itself, and was not yet seen to run");

  cpu.rip = K::kIdle;
  vcpu_.set_state(cpu);
  caught.AfterExit(vcpu_);
  EXPECT_TRUE(IsPlanted());
  EXPECT_EQ(caught.report().why_none, "");
  EXPECT_TRUE(caught.Takes(IoExit{.port = kCatchPort, .is_write = true, .data = std::span<uint8_t>(byte_)}));
}

TEST_F(KernelCatchTest, AGuestThatIsNoLinuxIsLookedAtNowAndThenOnly) {
  KernelCatch caught({}, Classic(), memory_, *this);
  vcpu_.set_state({.rip = 0x1000});
  for (int i = 0; i < 1'000'000; ++i) caught.AfterExit(vcpu_);
  EXPECT_LT(vcpu_.completions(), 300);
}

TEST_F(KernelCatchTest, AnImageWithoutSymbolsIsSaidToBeOneAndRuns) {
  kernel_.Put(K::kKallsyms, std::string(0x10000, '\0'));
  const KernelCatch caught({}, Direct(), memory_, *this);
  EXPECT_FALSE(IsPlanted());
  EXPECT_TRUE(caught.report().points.empty());
  EXPECT_NE(caught.report().why_none.find("no kallsyms tables in the kernel's image"), std::string::npos);
  EXPECT_FALSE(caught.Takes(IoExit{.port = kCatchPort, .is_write = true, .data = std::span<uint8_t>(byte_)}));
}

TEST_F(KernelCatchTest, SymbolsOfAFileTakeThePlaceOfThoseInTheImage) {
  kernel_.Put(K::kKallsyms, std::string(0x10000, '\0'));
  std::vector<Symbol> symbols = kernel_.symbols();
  for (Symbol& symbol : symbols) symbol.address -= LinuxGuest::kKernelOffset;
  symbols.push_back({LinuxGuest::kText - LinuxGuest::kKernelOffset, 'T', "_text"});
  const KernelCatch caught({.symbols = std::make_shared<SymbolList>("System.map", symbols)}, Direct(), memory_, *this);
  EXPECT_TRUE(IsPlanted()) << caught.report().why_none;
}

TEST_F(KernelCatchTest, SymbolsOfAnotherKernelCatchNothing) {
  auto symbols =
      std::make_shared<SymbolList>("System.map", std::vector<Symbol>{{K::kText, 'T', "_text"},
                                                                     {K::kText + 8, 'R', "linux_banner"},
                                                                     {K::kIdle, 't', "native_stop_other_cpus"}});
  const KernelCatch caught({.symbols = symbols}, Direct(), memory_, *this);
  EXPECT_FALSE(IsPlanted());
  EXPECT_NE(caught.report().why_none.find("System.map is of another kernel"), std::string::npos);
}

}  // namespace
}  // namespace vmm
