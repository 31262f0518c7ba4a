#include "base/partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "gtest/gtest.h"

namespace vmm {
namespace {

class PartialFileTest : public ::testing::Test {
 protected:
  PartialFileTest() {
    std::string name = ::testing::TempDir() + "/partial.XXXXXX";
    path_ = mkdtemp(name.data());
    dir_.emplace(*OutputDir::Open(path_));
  }

  void Put(const std::string& name) { std::ofstream(path_ + "/" + name) << "bytes"; }

  bool Exists(const std::string& name) const {
    struct stat st = {};
    return lstat((path_ + "/" + name).c_str(), &st) == 0;
  }

  std::string path_;
  std::optional<OutputDir> dir_;
};

constexpr const char* kAbandoned = ".vmcore.partial.0123456789abcdef";

TEST_F(PartialFileTest, AFileThatIsBeingWrittenStays) {
  const auto file = CreatePartialFile(*dir_, "vmcore");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(IsPartialName(file->name)) << file->name;
  EXPECT_EQ(RemoveAbandonedFiles(*dir_), 0);
  EXPECT_TRUE(Exists(file->name));
}

TEST_F(PartialFileTest, AFileWhoseWriterIsGoneIsRemoved) {
  std::string name;
  {
    const auto file = CreatePartialFile(*dir_, "vmcore");
    ASSERT_TRUE(file.ok());
    name = file->name;
  }
  EXPECT_TRUE(Exists(name));
  EXPECT_EQ(RemoveAbandonedFiles(*dir_), 1);
  EXPECT_FALSE(Exists(name));
}

TEST_F(PartialFileTest, NothingElseIsRemoved) {
  const std::string others[] = {"vmcore",
                                "vmcore.partial.0123456789abcdef",
                                ".vmcore.partial.0123456789abcde",
                                ".vmcore.partial.0123456789abcdeF",
                                ".vmcore.partial.0123456789abcdef0",
                                ".vmcore.0123456789abcdef",
                                "..partial.0123456789abcdef~"};
  for (const std::string& name : others) Put(name);
  ASSERT_EQ(symlink("vmcore", (path_ + "/.a.partial.0123456789abcdef").c_str()), 0);
  ASSERT_EQ(mkdir((path_ + "/.b.partial.0123456789abcdef").c_str(), 0700), 0);
  ASSERT_EQ(mkfifo((path_ + "/.c.partial.0123456789abcdef").c_str(), 0600), 0);
  EXPECT_EQ(RemoveAbandonedFiles(*dir_), 0);
  for (const std::string& name : others) EXPECT_TRUE(Exists(name)) << name;
  for (const char* name : {".a", ".b", ".c"}) {
    EXPECT_TRUE(Exists(std::string(name) + ".partial.0123456789abcdef")) << name;
  }
}

TEST_F(PartialFileTest, AnotherUsersFileStays) {
  Put(kAbandoned);
  if (chown((path_ + "/" + kAbandoned).c_str(), 12345, 12345) != 0) GTEST_SKIP() << "may not give a file away";
  EXPECT_EQ(RemoveAbandonedFiles(*dir_), 0);
  EXPECT_TRUE(Exists(kAbandoned));
}

// Cleaners that run in the same directory never remove a file that was just created.
TEST_F(PartialFileTest, NoFileIsLostToACleaner) {
  std::atomic<bool> stop = false;
  std::thread cleaner([&] {
    const OutputDir dir = *OutputDir::Open(path_);
    while (!stop) RemoveAbandonedFiles(dir);
  });
  for (int i = 0; i < 2000; ++i) {
    const auto file = CreatePartialFile(*dir_, "vmcore");
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(Exists(file->name)) << i;
    unlink((path_ + "/" + file->name).c_str());
  }
  stop = true;
  cleaner.join();
}

}  // namespace
}  // namespace vmm
