#include "vmm/stop_signals.h"

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(StopSignalsTest, EachIsTakenOnce) {
  const auto signals = *StopSignals::Block();
  EXPECT_EQ(signals->Take(), 0);
  ASSERT_EQ(raise(SIGINT), 0);
  EXPECT_EQ(signals->Take(), SIGINT);
  EXPECT_EQ(signals->Take(), 0);
}

TEST(StopSignalsTest, OneThatNobodyTookDoesNotEndTheProcessAfterwards) {
  {
    const auto signals = *StopSignals::Block();
    ASSERT_EQ(raise(SIGTERM), 0);
    ASSERT_EQ(raise(SIGINT), 0);
  }
  SUCCEED() << "and lives";
}

}  // namespace
}  // namespace vmm
