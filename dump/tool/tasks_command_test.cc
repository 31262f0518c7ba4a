#include "dump/tool/tasks_command.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "dump/kernel/testing/made_up_kernel.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/run_tool.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TasksCommandTest : public testing::Test {
 protected:
  explicit TasksCommandTest(const MadeUpKernelOptions& options = {})
      : dump_({}, [&](LinuxGuest& guest) { MadeUpKernel kernel(guest, options); }) {}

  int Run(std::vector<std::string> more) {
    out_.str("");
    more.insert(more.begin(), {"tasks", dump_.path()});
    return RunTool({TasksCommand()}, more, out_, err_);
  }

  DumpedGuest dump_;
  std::ostringstream out_, err_;
};

TEST_F(TasksCommandTest, TasksStandByStateWithTheirStacks) {
  ASSERT_EQ(Run({}), kExitFine) << err_.str();
  for (const char* expected :
       {"5 tasks: 2 D 2 R 1 I\n", "  CPU 0: sh 96 runs\n", "D  2 tasks in sysrq_handle_crash\n    dd 101, dd 102\n",
        "  #0  sysrq_handle_crash+0x16/0x100\n  #1  start_secondary+0x2a/0x100\n      --- end of stack\n",
        "1 kernel threads sleep", "    1 in sysrq_handle_crash\n"}) {
    EXPECT_THAT(out_.str(), HasSubstr(expected));
  }
  EXPECT_LT(out_.str().find("\nD  "), out_.str().find("\nR  "));
  ASSERT_EQ(Run({"--all"}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("I  1 kernel thread in sysrq_handle_crash\n    kworker/1:0 103\n"));
}

TEST_F(TasksCommandTest, JsonHasEachTaskAndItsGroup) {
  ASSERT_EQ(Run({"--json"}), kExitFine) << err_.str();
  const nlohmann::json json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["complete"], true);
  ASSERT_EQ(json["tasks"].size(), 5u);
  EXPECT_EQ(json["tasks"][2]["comm"], "dd");
  EXPECT_EQ(json["tasks"][2]["pid"], 101);
  EXPECT_EQ(json["tasks"][2]["state"], "D");
  EXPECT_EQ(json["tasks"][2]["group"], 0);
  EXPECT_EQ(json["groups"][0]["waits_in"], "sysrq_handle_crash");
  EXPECT_EQ(json["groups"][0]["tasks"], nlohmann::json({2, 3}));
}

class NoBtfTasksTest : public TasksCommandTest {
 protected:
  NoBtfTasksTest() : TasksCommandTest({.btf = false}) {}
};

TEST_F(NoBtfTasksTest, WithoutBtfTheReasonIsTold) {
  EXPECT_EQ(Run({}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("BTF"));
}

}  // namespace
}  // namespace vmm
