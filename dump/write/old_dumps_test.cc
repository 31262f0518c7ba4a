#include "dump/write/old_dumps.h"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "dump/testing/linux_guest.h"
#include "dump/write/dump_name.h"
#include "dump/write/write_vmcore.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Names = std::set<std::string>;

TEST(DumpNameTest, OnlyOurOwnNamesAreTakenForOurs) {
  EXPECT_EQ(DumpName(0), "vmcore");
  EXPECT_EQ(DumpName(9999), "vmcore.9999");
  for (const char* name : {"vmcore", "vmcore.1", "vmcore.10", "vmcore.9999"}) EXPECT_TRUE(IsDumpName(name)) << name;
  for (const char* name : {"", "vmcor", "vmcore.", "vmcore.0", "vmcore.01", "vmcore.10000", "vmcore.gdb",
                           "vmcore.1.gdb", "vmcore1", "vmcore.1a", ".vmcore", "my-vmcore"}) {
    EXPECT_FALSE(IsDumpName(name)) << name;
  }
}

class OldDumpsTest : public ::testing::Test {
 protected:
  OldDumpsTest() : guest_({.ram = {{GuestAddr{0}, 40 << 20}}}) {
    std::string name = ::testing::TempDir() + "/old_dumps.XXXXXX";
    path_ = mkdtemp(name.data());
    dir_.emplace(*OutputDir::Open(path_));
  }

  VmcoreReport Write(int keep, const std::string& note = "{}") {
    const auto report = WriteVmcore(guest_.snapshot(), *dir_, {.keep = keep, .notes_json = note});
    EXPECT_TRUE(report.ok()) << report.status();
    EXPECT_TRUE(report->not_removed.ok()) << report->not_removed;
    return *report;
  }

  // Sets the file's times to `age` hours before now.
  void SetAge(const std::string& name, int age) {
    const timespec times[2] = {{.tv_sec = time(nullptr) - age * 3600}, {.tv_sec = time(nullptr) - age * 3600}};
    ASSERT_EQ(utimensat(AT_FDCWD, (path_ + "/" + name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  Names Files() const {
    Names names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) names.insert(entry.path().filename());
    return names;
  }

  LinuxGuest guest_;
  std::string path_;
  std::optional<OutputDir> dir_;
};

TEST_F(OldDumpsTest, TheNewestStay) {
  for (int age : {5, 4, 3}) SetAge(std::filesystem::path(Write(0).path).filename(), age);
  const VmcoreReport report = Write(2);
  EXPECT_EQ(report.path, path_ + "/vmcore.3");
  EXPECT_THAT(report.removed, ElementsAre(path_ + "/vmcore", path_ + "/vmcore.1"));
  EXPECT_EQ(Files(), (Names{"vmcore.2", "vmcore.2.gdb", "vmcore.3", "vmcore.3.gdb"}));
}

TEST_F(OldDumpsTest, TheAgeCountsNotTheNumber) {
  Write(0), Write(0);
  SetAge("vmcore", 1);
  SetAge("vmcore.1", 2);
  EXPECT_THAT(Write(2).removed, ElementsAre(path_ + "/vmcore.1"));
}

TEST_F(OldDumpsTest, TheOneJustWrittenStaysWhateverTheClockSays) {
  Write(0);
  SetAge("vmcore", -100);
  EXPECT_THAT(Write(1).removed, ElementsAre(path_ + "/vmcore"));
  EXPECT_EQ(Files(), (Names{"vmcore.1", "vmcore.1.gdb"}));
}

TEST_F(OldDumpsTest, NothingElseIsEverTouched) {
  Write(0);
  std::filesystem::rename(path_ + "/vmcore", path_ + "/precious");  // ours, but named by the user
  std::ofstream(path_ + "/vmcore.1") << "not a core";
  Write(0, /*note=*/"");  // "vmcore": a core, but not vmm's
  std::filesystem::rename(path_ + "/vmcore", path_ + "/vmcore.2");
  std::filesystem::create_symlink("precious", path_ + "/vmcore.3");
  std::filesystem::create_directory(path_ + "/vmcore.4");
  ASSERT_EQ(mkfifo((path_ + "/vmcore.5").c_str(), 0600), 0);
  std::filesystem::resize_file(path_ + "/vmcore.1", 1 << 20);
  const Names before = Files();
  EXPECT_THAT(Write(1).removed, IsEmpty());
  Names after = Files();
  after.erase("vmcore");
  EXPECT_EQ(after, before);
}

TEST_F(OldDumpsTest, ASideFileThatIsNotOursStays) {
  Write(0);
  std::ofstream(path_ + "/vmcore.gdb") << "# my own notes on vmcore";
  SetAge("vmcore", 1);
  EXPECT_THAT(Write(1).removed, ElementsAre(path_ + "/vmcore"));
  EXPECT_TRUE(Files().contains("vmcore.gdb"));
}

TEST_F(OldDumpsTest, AnotherUsersDumpStays) {
  Write(0);
  if (chown((path_ + "/vmcore").c_str(), 12345, 12345) != 0) GTEST_SKIP() << "may not give a file away";
  EXPECT_THAT(Write(1).removed, IsEmpty());
  EXPECT_TRUE(Files().contains("vmcore"));
}

TEST_F(OldDumpsTest, WithoutRoomForANewDumpTheOldOnesStay) {
  Write(0);
  const auto report = WriteVmcore(guest_.snapshot(), *dir_, {.min_free = 1ull << 60, .keep = 1, .notes_json = "{}"});
  EXPECT_EQ(report.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("would be left free (needed: up to"));
  EXPECT_EQ(Files(), (Names{"vmcore", "vmcore.gdb"}));
}

}  // namespace
}  // namespace vmm
