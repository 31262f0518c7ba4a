#include "vmm/boot/relocations.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "vmm/boot/testing/bzimage_builder.h"

namespace vmm {
namespace {

using Builder = BzImageBuilder;

template <typename T>
T At(const std::vector<uint8_t>& file, uint64_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof(value));
  return value;
}

TEST(RelocationsTest, EachListIsAppliedInItsWay) {
  constexpr uint64_t kShift = 0x12400000;
  std::vector<uint8_t> file = Builder().Elf();
  const auto kernel = ParseElfKernel(std::span(file).first(kElfHeadSize), file.size());
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  ASSERT_TRUE(HasRelocations(*kernel, file.size()));
  const auto counts = ApplyRelocations(file, *kernel, kShift);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->abs32, 1u);
  EXPECT_EQ(counts->inverse32, 1u);
  EXPECT_EQ(counts->abs64, 1u);
  const auto& text = kernel->segments[0];
  const auto& data = kernel->segments[1];
  EXPECT_EQ(At<uint32_t>(file, text.offset + Builder::kAbs32Place), static_cast<uint32_t>(Builder::kAddress + kShift));
  EXPECT_EQ(At<uint32_t>(file, text.offset + Builder::kInverse32Place),
            static_cast<uint32_t>(Builder::kAddress - kShift));
  const uint64_t in_data = Builder::kAbs64Place - (Builder::kDataAt - Builder::kLinkedAt);
  EXPECT_EQ(At<uint64_t>(file, data.offset + in_data), Builder::kAddress + kShift);
}

TEST(RelocationsTest, EmptyListsAreLists) {
  Builder builder;
  builder.relocations = {0, 0, 0};
  std::vector<uint8_t> file = builder.Elf();
  const auto kernel = ParseElfKernel(std::span(file).first(kElfHeadSize), file.size());
  const auto counts = ApplyRelocations(file, *kernel, 0x200000);
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->abs32 + counts->inverse32 + counts->abs64, 0u);
}

TEST(RelocationsTest, AnElfFileThatEndsWithItselfHasNone) {
  Builder builder;
  builder.relocations.clear();
  const std::vector<uint8_t> file = builder.Elf();
  const auto kernel = ParseElfKernel(std::span(file).first(kElfHeadSize), file.size());
  EXPECT_FALSE(HasRelocations(*kernel, file.size()));
}

}  // namespace
}  // namespace vmm
