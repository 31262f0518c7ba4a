#include "dump/kernel/btf.h"

#include <gmock/gmock.h>

#include "dump/kernel/struct_layout.h"
#include "dump/kernel/testing/btf_builder.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

std::vector<uint8_t> Example() {
  BtfBuilder btf;
  const uint32_t u64 = btf.Int("u64", 8);
  const uint32_t u32 = btf.Int("u32", 4);
  const uint32_t pid = btf.Typedef("pid_t", u32);
  const uint32_t inner = btf.Struct("inner", 16, {{"first", u64, 0}, {"second", pid, 8}});
  const uint32_t choice = btf.Union("", 8, {{"number", u64, 0}, {"half", u32, 0}});
  const uint32_t anonymous = btf.Struct("", 16, {{"", choice, 0}, {"deep", u64, 8}});
  const uint32_t array = btf.Array(inner, 3);
  btf.Struct("outer", 200,
             {{"pointer", btf.Pointer(inner), 0}, {"", anonymous, 8}, {"in", inner, 24}, {"many", array, 40}});
  return btf.Build();
}

TEST(BtfTest, AFieldIsFoundThroughNamedAndAnonymousStructs) {
  const auto btf = Btf::Parse(Example());
  ASSERT_TRUE(btf.ok()) << btf.status();
  EXPECT_EQ(btf->SizeOf("outer"), 200u);
  EXPECT_EQ(btf->FindField("outer", "pointer"), (Btf::Field{0, 8, 8}));
  EXPECT_EQ(btf->FindField("outer", "half"), (Btf::Field{8, 4, 4}));
  EXPECT_EQ(btf->FindField("outer", "deep"), (Btf::Field{16, 8, 8}));
  EXPECT_EQ(btf->FindField("outer", "in.second"), (Btf::Field{32, 4, 4}));
  EXPECT_EQ(btf->FindField("outer", "many"), (Btf::Field{40, 48, 16}));
}

TEST(BtfTest, WhatIsNotThereIsNotFound) {
  const auto btf = Btf::Parse(Example());
  ASSERT_TRUE(btf.ok());
  EXPECT_EQ(btf->SizeOf("nothing"), std::nullopt);
  EXPECT_EQ(btf->FindField("outer", "nothing"), std::nullopt);
  EXPECT_EQ(btf->FindField("outer", "in.nothing"), std::nullopt);
  EXPECT_EQ(btf->FindField("outer", "pointer.first"), std::nullopt);  // a pointer is no struct
  EXPECT_EQ(btf->FindField("outer", ""), std::nullopt);
}

TEST(BtfTest, AStructThatHoldsItselfEnds) {
  BtfBuilder builder;
  builder.Struct("loop", 8, {{"", 1, 0}, {"", 1, 0}});
  builder.Typedef("round", 3);
  builder.Typedef("and_round", 2);
  builder.Struct("user", 8, {{"field", 2, 0}});
  const auto btf = Btf::Parse(builder.Build());
  ASSERT_TRUE(btf.ok());
  EXPECT_EQ(btf->FindField("loop", "field"), std::nullopt);
  EXPECT_EQ(btf->FindField("user", "field"), std::nullopt);
}

TEST(BtfTest, WhatIsNotWholeIsRefused) {
  const std::vector<uint8_t> good = Example();
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(Btf::Parse({good.begin(), good.begin() + static_cast<ptrdiff_t>(size)}).ok()) << size;
  }
  std::vector<uint8_t> bad = good;
  bad[24 + 7] = 31;  // the kind of the first type
  EXPECT_THAT(std::string(Btf::Parse(bad).status().message()), HasSubstr("unknown kind 31"));
}

TEST(StructLayoutTest, VmcoreInfoComesFirstAndBtfHelpsOut) {
  const auto btf = Btf::Parse(Example());
  const auto info =
      VmcoreInfo::Parse("OSRELEASE=6\nSIZE(outer)=216\nOFFSET(outer.deep)=99\nOFFSET(outer.in)=99999999999\n");
  ASSERT_TRUE(btf.ok() && info.ok());
  const StructLayout both(&*info, &*btf);
  EXPECT_EQ(both.Size("outer"), 216u);
  EXPECT_EQ(both.Size("inner"), 16u);
  EXPECT_EQ(both.Offset("outer.deep"), 99u);
  EXPECT_EQ(both.Offset("outer.in"), 24u);  // the offset in VMCOREINFO is too large to be believed
  EXPECT_EQ(StructLayout(nullptr, nullptr).Offset("outer.in"), std::nullopt);
}

}  // namespace
}  // namespace vmm
