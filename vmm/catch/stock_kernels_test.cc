// Plants in kernels as distributions ship them, with the symbols in the image and with the symbols from a file.
// VMM_TEST_KERNELS is a list of bzImages, separated by ':'. The symbols of a bzImage are in the vmlinux next to it, if
// there is one.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/catch/kernel_catch.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

class StockKernelsTest : public testing::Test, public PanicSink {
 protected:
  void SetUp() override {
    const char* list = std::getenv("VMM_TEST_KERNELS");
    if (list == nullptr) GTEST_SKIP() << "VMM_TEST_KERNELS names no kernels";
    kernels_ = absl::StrSplit(list, ':', absl::SkipEmpty());
    for (const std::string& kernel : kernels_) {
      if (std::filesystem::exists(VmlinuxOf(kernel))) with_symbols_.push_back(kernel);
    }
  }
  void OnPanic(const PanicEvent& event) override { ADD_FAILURE() << event.detail; }

  static std::string VmlinuxOf(const std::string& kernel) {
    return std::filesystem::path(kernel).replace_filename("vmlinux");
  }

  // Plants in `kernel`, moved by KASLR, and returns the report. `vmlinux`: the file with the symbols; empty: use the
  // image's own.
  CatchReport Plant(const std::string& kernel, const std::string& vmlinux) {
    const auto memory = *GuestMemory::Create(RamRanges(1ull << 30));
    const auto loaded = LoadKernel({.kernel_path = kernel, .kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 7}}, *memory);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    if (!loaded.ok()) return {};
    CatchConfig config{.kinds = {CatchKind::kPanic, CatchKind::kOops, CatchKind::kWarn}};
    if (!vmlinux.empty()) {
      auto symbols = SymbolList::ReadFile(vmlinux);
      EXPECT_TRUE(symbols.ok()) << symbols.status();
      if (symbols.ok()) config.symbols = *std::move(symbols);
    }
    return KernelCatch(config, *loaded, *memory, *this).report();
  }

  std::vector<std::string> kernels_, with_symbols_;
};

std::vector<std::tuple<std::string, uint64_t>> Places(const CatchReport& report) {
  std::vector<std::tuple<std::string, uint64_t>> places;
  for (const CatchPoint& point : report.points) places.emplace_back(point.function, point.address);
  return places;
}

TEST_F(StockKernelsTest, EachIsPlantedInByTheSymbolsInItsImage) {
  for (const std::string& kernel : kernels_) {
    const CatchReport report = Plant(kernel, "");
    EXPECT_GE(report.points.size(), 3u) << kernel << ": " << report.why_none;
  }
}

TEST_F(StockKernelsTest, ItsVmlinuxNamesTheSamePlaces) {
  if (with_symbols_.empty()) GTEST_SKIP() << "no vmlinux beside these kernels (guest-tests/lab/fetch-kernel --debug)";
  for (const std::string& kernel : with_symbols_) {
    const CatchReport report = Plant(kernel, VmlinuxOf(kernel));
    EXPECT_EQ(report.why_none, "") << kernel;
    EXPECT_EQ(Places(report), Places(Plant(kernel, ""))) << kernel;
  }
}

TEST_F(StockKernelsTest, TheVmlinuxOfAnotherIsRefused) {
  if (with_symbols_.size() < 2) GTEST_SKIP() << "no vmlinux beside two of these kernels";
  const CatchReport report = Plant(with_symbols_[0], VmlinuxOf(with_symbols_[1]));
  EXPECT_TRUE(report.points.empty());
  EXPECT_NE(report.why_none.find("is of another kernel"), std::string::npos) << report.why_none;
}

}  // namespace
}  // namespace vmm
