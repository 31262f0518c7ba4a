#include "dump/tool/check_command.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "dump/testing/dumped_guest.h"
#include "dump/tool/run_tool.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CheckCommandTest : public ::testing::Test {
 protected:
  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "check");
    out_.str("");
    err_.str("");
    return RunTool({CheckCommand()}, arguments, out_, err_);
  }

  DumpedGuest dump_;
  std::ostringstream out_, err_;
};

TEST_F(CheckCommandTest, OurOwnDumpIsFine) {
  EXPECT_EQ(Run({dump_.path()}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("nothing is wrong with it"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("no:")));
}

TEST_F(CheckCommandTest, ABrokenReaderIsNamedAndEndsWith1) {
  dump_.ChangePhdr(1, [](Elf64_Phdr& phdr) { phdr.p_align = 4096; });
  EXPECT_EQ(Run({dump_.path()}), kExitBadFile);
  EXPECT_THAT(out_.str(), HasSubstr("refused  program header 1 has p_align 0x1000, not 0  [p_align]"));
  EXPECT_THAT(out_.str(), HasSubstr("crash (refused): with p_align set"));
  EXPECT_THAT(out_.str(), HasSubstr("crash         no: "));
  EXPECT_THAT(out_.str(), HasSubstr("drgn          yes"));
}

TEST_F(CheckCommandTest, WhatIsOnlyOddEndsWith0) {
  dump_.ChangeHeader([](Elf64_Ehdr& ehdr) { ehdr.e_ehsize = 8; });
  EXPECT_EQ(Run({dump_.path()}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("odd      e_ehsize is 8, not 64"));
}

TEST_F(CheckCommandTest, JsonSaysTheSame) {
  dump_.ChangePhdr(1, [](Elf64_Phdr& phdr) { phdr.p_align = 4096; });
  EXPECT_EQ(Run({dump_.path(), "--json"}), kExitBadFile);
  const nlohmann::json json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["readable_by"]["crash"]["readable"], false);
  EXPECT_THAT(json["readable_by"]["crash"]["why_not"].get<std::string>(), HasSubstr("netdump"));
  EXPECT_EQ(json["readable_by"]["makedumpfile"]["readable"], true);
  ASSERT_EQ(json["findings"].size(), 1u);
  EXPECT_EQ(json["findings"][0]["rule"], "p_align");
  EXPECT_EQ(json["findings"][0]["weight"], "refused");
  EXPECT_EQ(json["findings"][0]["breaks"][0]["reader"], "crash");
}

TEST_F(CheckCommandTest, APathThatIsNoTextIsToldByteForByteInValidJson) {
  const std::string path = testing::TempDir() + "/odd\xff\\core";
  std::filesystem::copy_file(dump_.path(), path, std::filesystem::copy_options::overwrite_existing);
  Run({path, "--json"});
  const nlohmann::json json = nlohmann::json::parse(out_.str());
  EXPECT_THAT(json["path"].get<std::string>(), testing::EndsWith("/odd\\xff\\\\core"));
}

TEST_F(CheckCommandTest, NamesOutOfTheFileCannotDriveTheTerminal) {
  dump_.ChangeNotes([](auto& notes) { notes.back().name = "\x1b[2", notes.back().type = 4; });
  EXPECT_EQ(Run({dump_.path()}), kExitBadFile);
  EXPECT_THAT(out_.str(), HasSubstr("a \\x1b[2 note has type 0x4"));
}

TEST_F(CheckCommandTest, WhatIsNoDumpIsRefused) {
  dump_.ChangeHeader([](Elf64_Ehdr& ehdr) { ehdr.e_phnum = PN_XNUM; });
  EXPECT_EQ(Run({dump_.path()}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("no section header 0"));
}

}  // namespace
}  // namespace vmm
