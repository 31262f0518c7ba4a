#include "vmm/kvm/vmware_backdoor.h"

#include <fstream>

#include "gtest/gtest.h"

namespace vmm {
namespace {

BackdoorReach WhereItSays(const std::string& text) {
  const std::string path = testing::TempDir() + "/enable_vmware_backdoor";
  std::ofstream(path) << text;
  return ReadBackdoorReach(path);
}

TEST(BackdoorReachTest, TheModulesParameterSaysWho) {
  EXPECT_EQ(WhereItSays("Y\n"), BackdoorReach::kAnyProgram);
  EXPECT_EQ(WhereItSays("N\n"), BackdoorReach::kGrantedPrograms);
}

TEST(BackdoorReachTest, WithoutTheParameterNobodyKnows) {
  EXPECT_EQ(ReadBackdoorReach(testing::TempDir() + "/no_such_parameter"), BackdoorReach::kUnknown);
  EXPECT_EQ(WhereItSays(""), BackdoorReach::kUnknown);
}

}  // namespace
}  // namespace vmm
