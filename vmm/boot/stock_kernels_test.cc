// Kernels as distributions ship them. VMM_TEST_KERNELS is a list of bzImages, separated by ':' (with Bazel:
// --test_env=VMM_TEST_KERNELS=...). Without it, nothing is loaded.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr uint64_t kGuestRam = 1ull << 30;
constexpr std::string_view kBanner = "Linux version ";

class StockKernelsTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* list = std::getenv("VMM_TEST_KERNELS");
    if (list == nullptr) GTEST_SKIP() << "VMM_TEST_KERNELS names no kernels";
    kernels_ = absl::StrSplit(list, ':', absl::SkipEmpty());
  }

  // Loads the kernel and looks for linux_banner in the image. It is there only if the decoded bytes are right.
  static void LoadAndLook(const BootConfig& config) {
    auto memory = GuestMemory::Create(RamRanges(kGuestRam));
    ASSERT_TRUE(memory.ok());
    const auto loaded = LoadKernel(config, **memory);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_TRUE(loaded->direct);
    // startup_64 is at _text, or in .init.text in newer kernels.
    EXPECT_GE(loaded->entry.rip, loaded->physical_base);
    EXPECT_LT(loaded->entry.rip, loaded->physical_base + loaded->image_size);
    const std::string release = loaded->version.substr(0, loaded->version.find(' '));
    ASSERT_FALSE(release.empty());
    const auto image = (*memory)->Span({GuestAddr{loaded->physical_base}, 48 << 20});
    ASSERT_TRUE(image.ok()) << image.status();
    const std::string banner = std::string(kBanner) + release + " ";
    EXPECT_NE(std::search(image->begin(), image->end(), banner.begin(), banner.end()), image->end()) << banner;
    if (config.kaslr.mode == Kaslr::Mode::kOff) {
      EXPECT_EQ(loaded->kaslr_shift, 0u);
    } else {
      EXPECT_NE(loaded->kaslr_shift, 0u);
      EXPECT_NE(loaded->physical_base, 0x1000000u);
    }
  }

  std::vector<std::string> kernels_;
};

TEST_F(StockKernelsTest, EachIsLoadedWhereItIsLinked) {
  for (const std::string& kernel : kernels_) {
    SCOPED_TRACE(kernel);
    LoadAndLook({.kernel_path = kernel, .kaslr = {.mode = Kaslr::Mode::kOff}});
  }
}

TEST_F(StockKernelsTest, EachIsMoved) {
  for (const std::string& kernel : kernels_) {
    SCOPED_TRACE(kernel);
    LoadAndLook({.kernel_path = kernel, .kaslr = {.mode = Kaslr::Mode::kSeed, .seed = 7}});
  }
}

}  // namespace
}  // namespace vmm
