#include "dump/tool/compare_command.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_format.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/run_tool.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

class CompareCommandTest : public ::testing::Test {
 protected:
  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "compare");
    out_.str("");
    err_.str("");
    return RunTool({CompareCommand()}, arguments, out_, err_);
  }

  DumpedGuest a_, b_;
  std::ostringstream out_, err_;
};

TEST_F(CompareCommandTest, TwoDumpsOfOneMachineAreTheSame) {
  EXPECT_EQ(Run({a_.path(), b_.path()}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("They are the same."));
  EXPECT_THAT(out_.str(), HasSubstr("16384 pages are in both"));
}

TEST_F(CompareCommandTest, WhatDiffersIsNamed) {
  b_.Write(b_.phdrs().back().p_offset + 0x123456, "other");
  b_.ChangeNotes([](auto& notes) { notes[0].desc[112 + 16 * 8] ^= 1, notes[2].desc[8 + 16 * 8] ^= 1; });
  b_.ChangeNotes([](auto& notes) { notes.back().desc[0] ^= 1; });
  EXPECT_EQ(Run({a_.path(), b_.path()}), kExitBadFile);
  EXPECT_THAT(out_.str(), HasSubstr("Memory that differs: 1 pages\n  0x000000123000-0x000000123fff  4 KiB"));
  EXPECT_THAT(out_.str(), HasSubstr("CPU 0: rip is"));
  EXPECT_THAT(out_.str(), HasSubstr("note VMM differs"));
}

TEST_F(CompareCommandTest, MemoryAloneLeavesNotesAside) {
  b_.ChangeNotes([](auto& notes) { notes.erase(notes.begin() + 4); });
  EXPECT_EQ(Run({a_.path(), b_.path()}), kExitBadFile);
  EXPECT_THAT(out_.str(), HasSubstr("only the first has a note VMCOREINFO"));
  EXPECT_EQ(Run({a_.path(), b_.path(), "--memory"}), kExitFine);
}

TEST_F(CompareCommandTest, ADumpWithoutQemuNotesIsComparedByWhatItHas) {
  b_.ChangeNotes([](auto& notes) { std::erase_if(notes, [](const auto& note) { return note.name == "QEMU"; }); });
  EXPECT_EQ(Run({a_.path(), b_.path()}), kExitFine) << out_.str();
}

TEST_F(CompareCommandTest, ADumpIsComparedWithTheGuestsOwnMemory) {
  const std::string memfd = absl::StrFormat("/proc/%d/fd/%d", getpid(), a_.guest().memory().fd());
  EXPECT_EQ(Run({a_.path(), "--raw=" + memfd}), kExitFine) << err_.str();
  a_.guest().Put(GuestAddr{0x3000000}, "written after the dump");
  EXPECT_EQ(Run({a_.path(), "--raw=" + memfd, "--json"}), kExitBadFile);
  const nlohmann::json json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["same"], false);
  EXPECT_EQ(json["differ"]["pages"], 1);
  EXPECT_EQ(json["differ"]["ranges"][0]["physical"], "0x3000000");
}

TEST_F(CompareCommandTest, ARawFileOfAnotherSizeIsRefused) {
  EXPECT_EQ(Run({a_.path(), "--raw=" + b_.path()}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("the RAM of the dump has 67108864"));
}

TEST_F(CompareCommandTest, TwoThingsAreWanted) {
  EXPECT_EQ(Run({a_.path()}), kExitBadUsage);
  EXPECT_EQ(Run({a_.path(), b_.path(), "--raw=x"}), kExitBadUsage);
}

}  // namespace
}  // namespace vmm
