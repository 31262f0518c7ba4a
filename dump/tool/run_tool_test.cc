#include "dump/tool/run_tool.h"

#include <gmock/gmock.h>

#include <sstream>

#include "absl/strings/str_format.h"
#include "base/version.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunToolTest : public ::testing::Test {
 protected:
  RunToolTest() {
    Command look;
    look.name = "look";
    look.operands = "FILE";
    look.summary = "looks at it";
    look.details = "Very closely.\n";
    look.options = {{"level", "N", "how closely"}, {"twice", "", "looks again"}};
    look.run = [this](const Invocation& call) {
      operands_ = call.operands();
      level_ = call.Value("level");
      twice_ = call.Has("twice");
      json_ = call.json();
      return result_;
    };
    commands_ = {look};
  }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunTool(commands_, arguments, out_, err_);
  }

  std::vector<Command> commands_;
  std::ostringstream out_, err_;
  std::vector<std::string> operands_;
  std::optional<std::string> level_;
  bool twice_ = false;
  bool json_ = false;
  int result_ = kExitFine;
};

TEST_F(RunToolTest, TheProcessIsConfinedToTheFilesOfTheCommandBeforeItRuns) {
  std::vector<std::string> inputs;
  const Confine confine = [&](const CommandFiles& files) {
    EXPECT_THAT(operands_, IsEmpty()) << "the command has run";
    inputs = files.inputs;
    return std::vector<std::string>{"files: this kernel has none"};
  };
  EXPECT_EQ(RunTool(commands_, {"look", "file", "--verbose"}, out_, err_, confine), kExitFine);
  EXPECT_THAT(inputs, ElementsAre("file"));
  EXPECT_THAT(err_.str(), HasSubstr("vmcore look: not confined: files: this kernel has none"));
  err_.str("");
  operands_.clear();
  EXPECT_EQ(RunTool(commands_, {"look", "file"}, out_, err_, confine), kExitFine);
  EXPECT_EQ(err_.str(), "");
}

TEST_F(RunToolTest, ACommandGetsItsOperandsAndOptionsInAnyOrder) {
  EXPECT_EQ(Run({"look", "--level=3", "file", "--twice", "--json"}), kExitFine);
  EXPECT_THAT(operands_, ElementsAre("file"));
  EXPECT_EQ(level_, "3");
  EXPECT_TRUE(twice_);
  EXPECT_TRUE(json_);
  EXPECT_EQ(Run({"look", "file", "--level", "4"}), kExitFine);
  EXPECT_EQ(level_, "4");
  EXPECT_FALSE(twice_);
  EXPECT_EQ(Run({"look", "--", "--file"}), kExitFine);
  EXPECT_THAT(operands_, ElementsAre("--file"));
}

TEST_F(RunToolTest, TheExitCodeIsTheCommands) {
  result_ = kExitBadFile;
  EXPECT_EQ(Run({"look", "file"}), kExitBadFile);
}

TEST_F(RunToolTest, HelpListsTheCommandsAndTheirOptions) {
  EXPECT_EQ(Run({"--help"}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("looks at it"));
  EXPECT_EQ(Run({"look", "--help"}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("Very closely."));
  EXPECT_THAT(out_.str(), HasSubstr("--level=N"));
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(RunToolTest, TheVersionIsThatOfTheProject) {
  EXPECT_EQ(Run({"--version"}), kExitFine);
  EXPECT_EQ(out_.str(), absl::StrFormat("vmcore %s\n", kVersion));
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(RunToolTest, BadUsageSaysWhatIsWrongAndEndsWith2) {
  const struct {
    std::vector<std::string> arguments;
    std::string error;
  } cases[] = {
      {{}, "usage: vmcore"},
      {{"lok"}, "no command lok"},
      {{"look"}, "vmcore look FILE"},
      {{"look", "a", "b"}, "vmcore look FILE"},
      {{"look", "a", "--levl=3"}, "no option --levl"},
      {{"look", "a", "--level"}, "--level=N"},
      {{"look", "a", "--twice=2"}, "takes no value"},
      {{"look", "a", "--json=2"}, "takes no value"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Run(c.arguments), kExitBadUsage);
    EXPECT_THAT(err_.str(), HasSubstr(c.error));
    EXPECT_THAT(out_.str(), IsEmpty());
  }
}

TEST_F(RunToolTest, OutputThatCannotBeWrittenIsNoSuccess) {
  out_.setstate(std::ios::badbit);
  EXPECT_EQ(RunTool(commands_, {"look", "file"}, out_, err_), kExitBadFile);
}

TEST_F(RunToolTest, WhatIsPrintedBackCannotDriveTheTerminal) {
  EXPECT_EQ(Run({"\x1b[2J"}), kExitBadUsage);
  EXPECT_THAT(err_.str(), HasSubstr("\\x1b[2J"));
}

}  // namespace
}  // namespace vmm
