#include "vmm/harness/plan.h"

#include <gtest/gtest.h>

namespace vmm {
namespace {

TEST(PlanTest, ARecordIsALetterAndATextThatEndsWithANul) {
  Plan plan;
  plan.Add(kPlanArgument, "x y");
  plan.Add(kPlanFolder, "");
  EXPECT_EQ(plan.bytes(), std::string("ax y\0c\0", 7));
}

TEST(PlanTest, TmpIsTheTreesOwnOnlyIfTheProgramOrItsFolderIsThere) {
  const RootTree root{.path = "/"};
  EXPECT_EQ(DescribeRoot(root, "/srv", "/bin/true"), "oevmm-root");
  EXPECT_EQ(DescribeRoot(root, "/tmp", "/bin/true"), "otvmm-root");
  EXPECT_EQ(DescribeRoot(root, "/srv", "/tmp/x/prog"), "otvmm-root");
  EXPECT_EQ(DescribeRoot(root, "/tmpfs", "make"), "oevmm-root");
}

TEST(PlanTest, InitHearsWhereChangesGo) {
  EXPECT_EQ(DescribeRoot({.path = "/", .changes = RootTree::Changes::kRefused}, "/", "x")[0], 'r');
  EXPECT_EQ(DescribeRoot({.path = "/", .changes = RootTree::Changes::kToTheHost}, "/", "x")[0], 'w');
}

}  // namespace
}  // namespace vmm
