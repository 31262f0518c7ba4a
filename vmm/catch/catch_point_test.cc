#include "vmm/catch/catch_point.h"

#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(CatchPointTest, WhatFtraceAndCetCheckStaysAsItIs) {
  const std::vector<uint8_t> nop = {0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55, 0x48, 0x89, 0xe5};
  const std::vector<uint8_t> call = {0xe8, 0x12, 0x34, 0x56, 0x78, 0x55, 0x48, 0x89, 0xe5};
  const std::vector<uint8_t> endbr = {0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x48, 0x89, 0xe5};
  const std::vector<uint8_t> both = {0xf3, 0x0f, 0x1e, 0xfa, 0xe8, 0x12, 0x34, 0x56, 0x78, 0x55};
  const std::vector<uint8_t> neither = {0x55, 0x48, 0x89, 0xe5};
  EXPECT_EQ(UntouchableBytes(nop), 5u);
  EXPECT_EQ(UntouchableBytes(call), 5u);
  EXPECT_EQ(UntouchableBytes(endbr), 4u);
  EXPECT_EQ(UntouchableBytes(both), 9u);
  EXPECT_EQ(UntouchableBytes(neither), 0u);
  EXPECT_EQ(UntouchableBytes({}), 0u);
}

TEST(CatchPointTest, NamesAreReadBack) {
  for (const CatchKind kind : {CatchKind::kPanic, CatchKind::kOops, CatchKind::kWarn, CatchKind::kKasan}) {
    EXPECT_EQ(ParseCatchKind(CatchKindName(kind)), kind);
    EXPECT_FALSE(CatchFunctions(kind).empty());
  }
  EXPECT_EQ(ParseCatchKind("bug"), CatchKind::kOops);
  EXPECT_EQ(ParseCatchKind("flood"), std::nullopt);
}

}  // namespace
}  // namespace vmm
