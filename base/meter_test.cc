#include "base/meter.h"

#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr Budget kSmall{"words", 100, 10, "letters", 0};

TEST(MeterTest, TheLastStepOfABudgetIsPaidAndTheNextIsNot) {
  Meter meter(kSmall);
  EXPECT_TRUE(meter.Step(9));
  EXPECT_TRUE(meter.Step());
  EXPECT_TRUE(meter.status().ok());
  EXPECT_FALSE(meter.Step());
  EXPECT_EQ(meter.steps(), 10u);
  EXPECT_EQ(meter.status().message(), "words: stopped after 10 letters, the limit");
}

TEST(MeterTest, ABudgetThatIsSpentStaysSo) {
  Meter meter(kSmall);
  EXPECT_FALSE(meter.Bytes(~uint64_t{0}));
  EXPECT_FALSE(meter.Step());
  EXPECT_FALSE(meter.Bytes(1));
  EXPECT_EQ(meter.status().message(), "words: stopped after 100 bytes, the limit");
}

TEST(MeterTest, TimeEndsABudgetThatHasStepsLeft) {
  Meter meter(Budget{"sand", 0, ~uint64_t{0}, "grains", 1});
  uint64_t steps = 0;
  while (meter.Step()) {
    ASSERT_LT(++steps, uint64_t{1} << 40);
  }
  EXPECT_EQ(meter.status().message(), "sand: stopped after 1 s, the limit");
}

}  // namespace
}  // namespace vmm
