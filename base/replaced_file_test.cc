#include "base/replaced_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace vmm {
namespace {

namespace fs = std::filesystem;

class ReplacedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/replaced.XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }

  absl::StatusOr<std::unique_ptr<ReplacedFile>> Create(const std::string& name) const {
    return ReplacedFile::Create(*OutputDir::Open(dir_), name);
  }

  std::string Read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(dir_ + "/" + name).rdbuf();
    return text.str();
  }

  mode_t ModeOf(const std::string& name) const {
    struct stat st = {};
    EXPECT_EQ(stat((dir_ + "/" + name).c_str(), &st), 0);
    return st.st_mode & 07777;
  }

  size_t Entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }

  std::string dir_;
};

TEST_F(ReplacedFileTest, TheOldFileStandsUntilTheNewOneIsWhole) {
  std::ofstream(dir_ + "/record") << "old";
  const auto file = *Create("record");
  EXPECT_EQ(Read("record"), "old");
  ASSERT_TRUE(file->Commit("new").ok());
  EXPECT_EQ(Read("record"), "new");
  EXPECT_EQ(Entries(), 1u) << "nothing else is left";
}

TEST_F(ReplacedFileTest, WithoutCommitNothingHasHappened) {
  { const auto file = *Create("record"); }
  EXPECT_EQ(Entries(), 0u);
}

TEST_F(ReplacedFileTest, ANewFileObeysTheUmaskAndAReplacedOneKeepsItsMode) {
  const mode_t before = umask(027);
  ASSERT_TRUE((*Create("new"))->Commit("x").ok());
  std::ofstream(dir_ + "/old") << "x";
  chmod((dir_ + "/old").c_str(), 0600);
  ASSERT_TRUE((*Create("old"))->Commit("x").ok());
  umask(before);
  EXPECT_EQ(ModeOf("new"), 0640u);
  EXPECT_EQ(ModeOf("old"), 0600u);
}

TEST_F(ReplacedFileTest, WhatIsNoRegularFileIsNeverReplaced) {
  ASSERT_EQ(mkfifo((dir_ + "/fifo").c_str(), 0600), 0);
  ASSERT_EQ(symlink("elsewhere", (dir_ + "/link").c_str()), 0);
  fs::create_directory(dir_ + "/directory");
  for (const char* name : {"fifo", "link", "directory"}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(Create(name).status())) << name;
  }
}

TEST_F(ReplacedFileTest, NorIsWhatComesToStandThereMeanwhile) {
  const auto file = *Create("record");
  ASSERT_EQ(mkfifo((dir_ + "/record").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(file->Commit("text")));
  EXPECT_TRUE(fs::is_fifo(dir_ + "/record"));
}

TEST_F(ReplacedFileTest, TheLeftoverOfAKilledWriterIsRemovedByTheNextOne) {
  std::ofstream(dir_ + "/.record.partial.0123456789abcdef") << "half";
  ASSERT_TRUE((*Create("record"))->Commit("x").ok());
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(ReplacedFileTest, ADirectoryMovedAwayMeanwhileStillTakesIt) {
  const auto file = *Create("record");
  fs::rename(dir_, dir_ + ".moved");
  ASSERT_TRUE(file->Commit("x").ok());
  fs::rename(dir_ + ".moved", dir_);
  EXPECT_EQ(Read("record"), "x");
}

TEST_F(ReplacedFileTest, ANameOfTheGreatestLengthIsPossible) {
  const std::string name(255, 'n');
  ASSERT_TRUE((*Create(name))->Commit("x").ok());
  EXPECT_EQ(Read(name), "x");
}

TEST_F(ReplacedFileTest, AWriteThatFailsLeavesTheOldFileAndNothingElse) {
  std::ofstream(dir_ + "/record") << "old";
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {.rlim_cur = 100, .rlim_max = before.rlim_max};
  {
    const auto file = *Create("record");
    setrlimit(RLIMIT_FSIZE, &small);
    const absl::Status status = file->Commit(std::string(1000, 'x'));
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_FALSE(status.ok());
  }
  EXPECT_EQ(Read("record"), "old");
  EXPECT_EQ(Entries(), 1u);
}

}  // namespace
}  // namespace vmm
