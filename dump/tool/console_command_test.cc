#include "dump/tool/console_command.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "dump/tool/run_tool.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConsoleCommandTest : public testing::Test {
 protected:
  int Run(const std::string& log, std::vector<std::string> more = {}) {
    const std::string path = testing::TempDir() + "/console.log";
    std::ofstream(path, std::ios::binary) << log;
    out_.str("");
    more.insert(more.begin(), {"console", path});
    return RunTool({ConsoleCommand()}, more, out_, err_);
  }

  std::ostringstream out_, err_;
};

TEST_F(ConsoleCommandTest, AReportIsPrintedAndEndsWith1) {
  ASSERT_EQ(Run("[    1.000000] kernel BUG at fs/x.c:1!\r\n[    1.000000] RIP: 0010:f+0x1/0x20 [m]\r\n"), 1);
  for (const char* expected :
       {"kernel BUG in f\n", "lines      1 to 2\n", "    f+0x1/0x20 [m]\n", "1 reports in 2 lines"}) {
    EXPECT_THAT(out_.str(), HasSubstr(expected));
  }
}

TEST_F(ConsoleCommandTest, JsonHasTheReport) {
  ASSERT_EQ(Run("[    1.000000][   T12] kernel BUG at fs/x.c:1!\n[    1.000000][   T12] RIP: 0010:f+0x1/0x20 [m]\n",
                {"--json"}),
            1);
  const nlohmann::json report = nlohmann::json::parse(out_.str())["reports"][0];
  EXPECT_EQ(report["title"], "kernel BUG in f");
  EXPECT_EQ(report["kind"], "oops");
  EXPECT_EQ(report["function"], "f");
  EXPECT_EQ(report["caller"], "T12");
  EXPECT_EQ(report["first_line"], 1);
  EXPECT_EQ(report["frames"][0]["module"], "m");
  EXPECT_EQ(report["signature"].get<std::string>().size(), 16u);
}

TEST_F(ConsoleCommandTest, ALogWithoutReportsEndsWith0) {
  EXPECT_EQ(Run("[    1.000000] all is well\n"), 0);
  EXPECT_EQ(Run(""), 0);
  EXPECT_THAT(out_.str(), HasSubstr("0 reports in 0 lines"));
}

TEST_F(ConsoleCommandTest, TheLogCannotDriveTheTerminal) {
  ASSERT_EQ(Run("Kernel panic - not syncing: \x1b]0;owned\x07\xff\x9b\n"), 1);
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x9b")));
  ASSERT_EQ(Run("Kernel panic - not syncing: \x1b]0;owned\x07\xff\n", {"--json"}), 1);
  EXPECT_TRUE(nlohmann::json::accept(out_.str()));
}

TEST_F(ConsoleCommandTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(RunTool({ConsoleCommand()}, {"console", "/nowhere"}, out_, err_), 1);
  EXPECT_THAT(err_.str(), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace vmm
