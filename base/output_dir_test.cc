#include "base/output_dir.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

TEST(OutputDirTest, NamesItsFilesAsTheUserNamedTheDirectory) {
  EXPECT_EQ(OutputDir::Open(".")->PathOf("vmcore"), "./vmcore");
  EXPECT_EQ(OutputDir::Open("/")->PathOf("vmcore"), "/vmcore");
  EXPECT_EQ(OutputDir::Open("/tmp/")->PathOf("vmcore"), "/tmp/vmcore");
}

TEST(OutputDirTest, WhatIsNoDirectoryIsRefusedByName) {
  const std::string file = ::testing::TempDir() + "/output_dir_test.file";
  std::ofstream(file) << "x";
  EXPECT_THAT(std::string(OutputDir::Open(file).status().message()), HasSubstr(file + ": Not a directory"));
  const absl::Status missing = OutputDir::Open("/nowhere/at/all").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("/nowhere/at/all"));
  EXPECT_EQ(OutputDir::Open("").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(OutputDirTest, TellsTheSpaceThatIsFree) {
  const auto free = OutputDir::Open(::testing::TempDir())->FreeBytes();
  ASSERT_TRUE(free.ok()) << free.status();
  EXPECT_GT(*free, 0u);
}

}  // namespace
}  // namespace vmm
