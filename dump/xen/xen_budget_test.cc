#include "dump/xen/xen_budget.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(XenBudgetTest, TheThreatModelShowsIt) {
  std::ifstream file("docs/threat-model.md", std::ios::binary);
  ASSERT_TRUE(file.is_open());
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  for (const Budget& budget : {kXenBudget, kXenPageTablesBudget}) {
    EXPECT_THAT(
        page, testing::HasSubstr(absl::StrFormat("| %s | %d MiB | %d %s | %d s |\n", budget.parser, budget.bytes >> 20,
                                                 budget.steps, budget.step, budget.seconds)));
  }
}

}  // namespace
}  // namespace vmm
