#include "dump/cause/special_values.h"

#include <gmock/gmock.h>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

TEST(SpecialValuesTest, ANullPointerMayHaveAFieldsOffset) {
  EXPECT_EQ(ExplainSpecialValue(0)->words, "NULL");
  EXPECT_EQ(ExplainSpecialValue(0x20)->words, "NULL+0x20");
  EXPECT_EQ(ExplainSpecialValue(0xfff)->region, Region::kNullPage);
  EXPECT_EQ(ExplainSpecialValue(0x1000), std::nullopt);
}

TEST(SpecialValuesTest, PoisonIsNamed) {
  EXPECT_THAT(ExplainSpecialValue(0xdead000000000100)->words, HasSubstr("LIST_POISON1"));
  EXPECT_THAT(ExplainSpecialValue(0xdead000000000108)->words, HasSubstr("+0x8"));
  EXPECT_THAT(ExplainSpecialValue(0xdead000000000122)->words, HasSubstr("LIST_POISON2"));
  EXPECT_THAT(ExplainSpecialValue(0x6b6b6b6b6b6b6b6b)->words, HasSubstr("POISON_FREE"));
  EXPECT_THAT(ExplainSpecialValue(0x6b6b6b6b6b6b6b93)->words, HasSubstr("POISON_FREE"));
  EXPECT_THAT(ExplainSpecialValue(0x5a5a5a5a5a5a5a5a)->words, HasSubstr("POISON_INUSE"));
  EXPECT_EQ(ExplainSpecialValue(0x6b6b6b6b00000000), std::nullopt);
}

TEST(SpecialValuesTest, AnErrorCodeIsNoPointer) {
  EXPECT_THAT(ExplainSpecialValue(-uint64_t{12})->words, HasSubstr("-12"));
  EXPECT_EQ(ExplainSpecialValue(-uint64_t{4096}), std::nullopt);
}

TEST(SpecialValuesTest, AnOrdinaryAddressIsNotSpecial) {
  EXPECT_EQ(ExplainSpecialValue(0xffff888012345678), std::nullopt);
  EXPECT_EQ(ExplainSpecialValue(0x7ffe12345678), std::nullopt);
}

}  // namespace
}  // namespace vmm
