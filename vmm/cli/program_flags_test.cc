#include "vmm/cli/program_flags.h"

#include <stdlib.h>

#include "absl/flags/reflection.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/cli/command_line.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const std::vector<FlagGroup> kGroups = {{"", {"file", "cwd", "module", "rootfs", "shell"}}};

std::vector<std::string> RestOf(const std::vector<std::string>& words) {
  std::vector<std::string> rest;
  const absl::Status parsed = ParseFlags(words, kGroups, &rest);
  EXPECT_TRUE(parsed.ok()) << parsed;
  return rest;
}

TEST(ProgramFlagsTest, TheProgramBeginsAtTheFirstWordThatIsNoFlag) {
  EXPECT_THAT(RestOf({"--cwd=/", "./prog", "--file=x", "-v"}), ElementsAre("./prog", "--file=x", "-v"));
  EXPECT_THAT(RestOf({"--cwd", "/", "prog"}), ElementsAre("prog"));
  EXPECT_THAT(RestOf({"--cwd=/", "--", "--odd", "--"}), ElementsAre("--odd", "--"));
  EXPECT_THAT(RestOf({"--cwd=/"}), IsEmpty());
}

TEST(ProgramFlagsTest, AWordThatBeginsWithADashOrIsEmptyIsNoProgram) {
  std::vector<std::string> rest;
  for (const char* word : {"-v", ""}) {
    const std::vector<std::string> words = {word};
    EXPECT_THAT(std::string(ParseFlags(words, kGroups, &rest).message()), HasSubstr("not a flag"));
  }
  const std::vector<std::string> nothing = {"--"};
  EXPECT_THAT(std::string(ParseFlags(nothing, kGroups, &rest).message()), HasSubstr("no program is named"));
}

TEST(ProgramFlagsTest, AFileGoesWhereItIsOrWhereItsSecondPathSays) {
  EXPECT_THAT(*ParseFilePair("/a/b"), Pair("/a/b", "/a/b"));
  EXPECT_THAT(*ParseFilePair("x:/y/../z/"), Pair("x", "/z"));
  EXPECT_THAT(ParseFilePair("x")->second, testing::MatchesRegex("/.*/x"));
  EXPECT_THAT(std::string(ParseFilePair("x:y").status().message()), HasSubstr("must be absolute"));
  EXPECT_FALSE(ParseFilePair(":/y").ok());
}

TEST(ProgramFlagsTest, AVariableWithoutAValueHasOurs) {
  setenv("VMM_TEST_COLOUR", "blue=1", 1);
  EXPECT_EQ(*ParseVariable("VMM_TEST_COLOUR"), "VMM_TEST_COLOUR=blue=1");
  EXPECT_EQ(*ParseVariable("A="), "A=");
  EXPECT_THAT(std::string(ParseVariable("VMM_TEST_NONE").status().message()), HasSubstr("no such variable"));
  EXPECT_FALSE(ParseVariable("=x").ok());
}

TEST(ProgramFlagsTest, AFlagForProgramsWithoutOneIsAnError) {
  const std::vector<std::string> none = {"--cwd="};  // another test may have given one
  ASSERT_TRUE(ParseFlags(none, kGroups).ok());
  EXPECT_EQ(*ProgramFromFlags({}), std::nullopt);
  const std::vector<std::string> words = {"--cwd=/tmp"};
  ASSERT_TRUE(ParseFlags(words, kGroups).ok());
  EXPECT_THAT(std::string(ProgramFromFlags({}).status().message()), HasSubstr("--cwd is for a program"));
  EXPECT_EQ((*ProgramFromFlags({"prog"}))->working_folder, "/tmp");
}

TEST(ProgramFlagsTest, ARootHasItsFilesAlready) {
  const absl::FlagSaver others_begin_anew;
  const std::vector<std::string> root = {"--rootfs=/,ro", "--file=/bin/true"};
  ASSERT_TRUE(ParseFlags(root, kGroups).ok());
  EXPECT_THAT(std::string(ProgramFromFlags({"prog"}).status().message()), HasSubstr("--file packs files"));
  const std::vector<std::string> no_file = {"--rootfs=/,ro,rw"};
  ASSERT_TRUE(ParseFlags(no_file, kGroups).ok());
  EXPECT_THAT(std::string(ProgramFromFlags({"prog"}).status().message()), HasSubstr("only one of"));
}

TEST(ProgramFlagsTest, AShellIsTheUsersOwnOnlyInTheHostsOwnRoot) {
  const absl::FlagSaver others_begin_anew;
  setenv("SHELL", "/bin/cat", 1);
  EXPECT_EQ(ShellFor(RootTree{.path = "/"}), "/bin/cat");
  EXPECT_EQ(ShellFor(RootTree{.path = "/srv"}), "/bin/sh");
  EXPECT_EQ(ShellFor(std::nullopt), "/bin/sh");
  setenv("SHELL", "/nowhere", 1);
  EXPECT_EQ(ShellFor(RootTree{.path = "/"}), "/bin/sh");
  const std::vector<std::string> shell = {"--shell"};
  ASSERT_TRUE(ParseFlags(shell, kGroups).ok());
  EXPECT_THAT((*ProgramFromFlags({}))->words, ElementsAre("/bin/sh"));
  EXPECT_THAT(std::string(ProgramFromFlags({"prog"}).status().message()), HasSubstr("not with the program prog"));
}

}  // namespace
}  // namespace vmm
