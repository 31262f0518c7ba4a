#include "base/input_file.h"

#include <unistd.h>

#include <array>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/boot/testing/bzimage_builder.h"

namespace vmm {
namespace {

TEST(InputFileTest, BytesAreReadFromAnyOffset) {
  const auto file = InputFile::Open(WriteTestFile("file", {1, 2, 3, 4, 5}));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 5u);
  std::array<uint8_t, 2> out{};
  ASSERT_TRUE(file->Read(3, out).ok());
  EXPECT_EQ(out, (std::array<uint8_t, 2>{4, 5}));
}

TEST(InputFileTest, AFileThatShrinksWhileItIsReadIsAnErrorNotACrash) {
  const std::string path = WriteTestFile("file", std::vector<uint8_t>(10000, 7));
  const auto file = InputFile::Open(path);
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(truncate(path.c_str(), 5000), 0);
  std::vector<uint8_t> out(10000);
  const absl::Status status = file->Read(0, out);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("ended at 5000 bytes while it was read; it had 10000"));
}

}  // namespace
}  // namespace vmm
