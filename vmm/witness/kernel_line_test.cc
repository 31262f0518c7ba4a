#include "vmm/witness/kernel_line.h"

#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(KernelLineTest, EveryPrefixOfPrintkIsTakenOffAndMarksTheLine) {
  const std::string_view lines[] = {
      "[    0.100000] text",         "[12345.678901] text",          "<4>[    1.500000] text",      "<4>text",
      "[    1.500000][    T1] text", "[    1.500000] [    T1] text", "[    1.500000][   C12] text", "[    T1] text",
  };
  for (const std::string_view line : lines) {
    const std::vector<KernelLine> found = FindKernelLines(line, /*whole=*/true);
    ASSERT_EQ(found.size(), 1) << line;
    EXPECT_EQ(found[0].text, "text") << line;
    EXPECT_TRUE(found[0].marked) << line;
  }
}

TEST(KernelLineTest, WhatOtherLogsPutFirstDoesNotMarkALine) {
  const std::string_view lines[] = {
      "text",        "[1.5] text", "[    12.345] text", "[2026-01-01 10:00:00.123456] text",
      "<info> text", "<1234>text", "[TEST] text",       "[ OK ] text",
  };
  for (const std::string_view line : lines) {
    const std::vector<KernelLine> found = FindKernelLines(line, /*whole=*/true);
    ASSERT_EQ(found.size(), 1) << line;
    EXPECT_FALSE(found[0].marked) << line;
  }
}

TEST(KernelLineTest, AKernelBreaksIntoALineOfUserSpace) {
  const std::vector<KernelLine> found = FindKernelLines("login: [    9.100000] text", /*whole=*/true);
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[1].text, "text");
  EXPECT_TRUE(found[1].marked);
}

TEST(KernelLineTest, TheStartOfAPartIsNoPlaceButATimeStampInItIs) {
  EXPECT_TRUE(FindKernelLines("text", /*whole=*/false).empty());
  EXPECT_EQ(FindKernelLines("[    9.100000] text", /*whole=*/false).size(), 1);
}

TEST(KernelLineTest, ALineFullOfTimeStampsHasABoundedNumberOfPlaces) {
  std::string line;
  for (int i = 0; i < 200; ++i) line += "[1.5]";
  EXPECT_EQ(FindKernelLines(line, /*whole=*/true).size(), 8);
}

TEST(KernelLineTest, AFormatTakesWhatPrintkMadeOfIt) {
  EXPECT_TRUE(StartsLike("INFO: task a:1 b:22 blocked for", "INFO: task %s:%d blocked"));
  EXPECT_TRUE(StartsLike("INFO: task :1 blocked", "INFO: task %s:%d blocked"));
  EXPECT_TRUE(StartsLike(": 0a02 [#1] SMP", ": %x [#%d]"));
  EXPECT_FALSE(StartsLike(": 0a02 [#] SMP", ": %x [#%d]"));
  EXPECT_FALSE(StartsLike("a: 0a02 [#1]", ": %x [#%d]"));
  EXPECT_FALSE(StartsLike("INFO: tas", "INFO: task"));
  EXPECT_TRUE(StartsLike("", ""));
  EXPECT_TRUE(StartsLike("text", "%s"));
}

}  // namespace
}  // namespace vmm
