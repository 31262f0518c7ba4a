#include <chrono>
#include <string>

#include "absl/strings/str_format.h"
#include "base/budget.h"
#include "dump/kernel/btf.h"
#include "dump/kernel/testing/btf_builder.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// A report of one CPU looks up about 60 structs and fields; that of many CPUs or modules looks up thousands.
constexpr int kLookUps = 10'000;

// 4.8 MB, as a guest can have it: 200,000 structs, of which the one that is looked for is the last. Each look-up once
// compared with all of them: 60 look-ups took 17 s, with names that differ late.
TEST(BtfBudgetTest, AStructIsFoundWithoutALookAtAllOthers) {
  BtfBuilder builder;
  const uint32_t u64 = builder.Int("u64", 8);
  for (int i = 0; i < 200'000; ++i) builder.Struct(absl::StrFormat("%06d_____", i), 8, {});
  builder.Struct("last", 24, {{"a", u64, 0}, {"b", u64, 8}, {"c", u64, 16}});
  const std::vector<uint8_t> bytes = builder.Build();
  EXPECT_GT(bytes.size(), 4'500'000u);
  const auto btf = Btf::Parse(bytes);
  ASSERT_TRUE(btf.ok()) << btf.status();
  for (int i = 0; i < kLookUps; ++i) ASSERT_EQ(btf->FindField("last", "c")->offset, 16u);
  EXPECT_LE(btf->look_up_steps(), 8u * kLookUps);
}

// All structs share one name, which has no end for 4 MB: its length was once counted for each of them.
TEST(BtfBudgetTest, ANameWithoutEndIsCut) {
  BtfBuilder builder;
  builder.Struct(std::string(4 << 20, 'n'), 8, {});
  std::vector<uint8_t> bytes = builder.Build();
  constexpr uint32_t kTypes = 100'000;
  constexpr size_t kHeader = 24, kType = 12;
  const std::vector<uint8_t> type(bytes.begin() + kHeader, bytes.begin() + kHeader + kType);
  std::vector<uint8_t> many(bytes.begin(), bytes.begin() + kHeader);
  for (uint32_t i = 0; i < kTypes; ++i) many.insert(many.end(), type.begin(), type.end());
  many.insert(many.end(), bytes.begin() + kHeader + kType, bytes.end());
  const uint32_t type_len = kTypes * kType;
  for (const size_t field : {12, 16}) {  // type_len, and str_off which follows it
    for (size_t i = 0; i < 4; ++i) many[field + i] = static_cast<uint8_t>(type_len >> (8 * i));
  }
  const auto start = std::chrono::steady_clock::now();
  const auto btf = Btf::Parse(std::move(many));
  ASSERT_TRUE(btf.ok()) << btf.status();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(btf->SizeOf("absent"), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));  // it took 400,000 MB of reading
}

TEST(BtfBudgetTest, MoreTypesThanAnyKernelHasAreRefused) {
  constexpr uint32_t kTypes = kBtfBudget.steps + 1;
  std::vector<uint8_t> bytes = BtfBuilder().Build();
  std::vector<uint8_t> type(12, 0);
  type[7] = 7;  // a forward declaration, in the top byte of info
  std::vector<uint8_t> many(bytes.begin(), bytes.begin() + 24);
  for (uint32_t i = 0; i < kTypes; ++i) many.insert(many.end(), type.begin(), type.end());
  many.push_back(0);
  for (const size_t field : {12, 16}) {
    for (size_t i = 0; i < 4; ++i) many[field + i] = static_cast<uint8_t>((kTypes * 12) >> (8 * i));
  }
  many[20] = 1;  // str_len
  const auto btf = Btf::Parse(std::move(many));
  EXPECT_EQ(btf.status().message(), "BTF: stopped after 2097152 types, the limit");
}

// A struct of 65,535 members without the one that is looked for. 4,096 modules times 8 fields are looked up in it.
TEST(BtfBudgetTest, LookUpsInAHugeStructEndAfterTheirBudget) {
  BtfBuilder builder;
  const uint32_t u64 = builder.Int("u64", 8);
  builder.Struct("module", 8, std::vector<BtfBuilder::Member>(65'535, {"m", u64, 0}));
  const auto btf = Btf::Parse(builder.Build());
  ASSERT_TRUE(btf.ok());
  EXPECT_TRUE(btf->FindField("module", "m").has_value());
  for (int i = 0; i < 8 * 4096; ++i) ASSERT_EQ(btf->FindField("module", "absent"), std::nullopt);
  EXPECT_LE(btf->look_up_steps(), kBtfLookUpBudget.steps + 100'000);
  EXPECT_EQ(btf->FindField("module", "m"), std::nullopt);
}

}  // namespace
}  // namespace vmm
