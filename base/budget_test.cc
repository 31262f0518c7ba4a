#include "base/budget.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string RowOf(const Budget& budget) {
  const std::string bytes = budget.bytes == 0 ? "-" : absl::StrFormat("%d MiB", budget.bytes >> 20);
  const std::string time = budget.seconds == 0 ? "-" : absl::StrFormat("%d s", budget.seconds);
  return absl::StrFormat("| %s | %s | %d %s | %s |\n", budget.parser, bytes, budget.steps, budget.step, time);
}

TEST(BudgetTest, EveryParserHasALimit) {
  for (const Budget& budget : kBudgets) {
    EXPECT_GT(budget.steps, 0u) << budget.parser;
    EXPECT_LE(budget.seconds, 10) << budget.parser;
    EXPECT_LE(budget.bytes, 64u << 20) << budget.parser;
  }
}

TEST(BudgetTest, TheThreatModelShowsTheTable) {
  std::ifstream file("docs/threat-model.md", std::ios::binary);
  ASSERT_TRUE(file.is_open());
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::string rows;
  for (const Budget& budget : kBudgets) rows += RowOf(budget);
  EXPECT_THAT(page, testing::HasSubstr(rows));
}

}  // namespace
}  // namespace vmm
