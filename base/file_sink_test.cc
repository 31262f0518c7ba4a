#include "base/file_sink.h"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class FileSinkTest : public ::testing::Test {
 protected:
  FileSinkTest() {
    std::string name = ::testing::TempDir() + "/file_sink.XXXXXX";
    path_ = mkdtemp(name.data());
  }

  OutputDir Dir() { return *OutputDir::Open(path_); }

  std::set<std::string> Files() const {
    std::set<std::string> names;
    DIR* dir = opendir(path_.c_str());
    while (const dirent* entry = readdir(dir)) {
      if (std::string_view(entry->d_name) != "." && std::string_view(entry->d_name) != "..")
        names.insert(entry->d_name);
    }
    closedir(dir);
    return names;
  }

  std::string Content(const std::string& name) const {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
  }

  void Put(const std::string& name, const std::string& content) { std::ofstream(path_ + "/" + name) << content; }

  std::string path_;
};

TEST_F(FileSinkTest, AFileHasItsNameOnlyAfterCommit) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  ASSERT_TRUE(sink.ok()) << sink.status();
  ASSERT_TRUE((*sink)->WriteAt(4, Bytes("data")).ok());
  ASSERT_TRUE((*sink)->WriteAt(0, Bytes("head")).ok());
  EXPECT_FALSE(Files().contains("core"));
  ASSERT_TRUE((*sink)->Sync().ok());
  ASSERT_TRUE((*sink)->Commit().ok());
  EXPECT_EQ(Files(), std::set<std::string>{"core"});
  EXPECT_EQ(Content("core"), "headdata");
}

TEST_F(FileSinkTest, OnlyItsOwnerMayReadIt) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  ASSERT_TRUE((*sink)->Sync().ok() && (*sink)->Commit().ok());
  struct stat st = {};
  ASSERT_EQ(stat((path_ + "/core").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST_F(FileSinkTest, WithoutCommitNothingIsLeft) {
  const OutputDir dir = Dir();
  {
    auto sink = FileSink::Create(dir, "core");
    ASSERT_TRUE((*sink)->WriteAt(0, Bytes("data")).ok());
    ASSERT_TRUE((*sink)->Sync().ok());
    EXPECT_EQ(Files().size(), 1u);
  }
  EXPECT_TRUE(Files().empty());
}

TEST_F(FileSinkTest, SetSizeLeavesAHole) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  ASSERT_TRUE((*sink)->SetSize(64 << 20).ok());
  ASSERT_TRUE((*sink)->Sync().ok() && (*sink)->Commit().ok());
  struct stat st = {};
  ASSERT_EQ(stat((path_ + "/core").c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 64 << 20);
  EXPECT_LT(st.st_blocks * 512, 1 << 20);
}

TEST_F(FileSinkTest, ReopenShowsWhatWasWritten) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  ASSERT_TRUE((*sink)->WriteAt(0, Bytes("data")).ok());
  auto fd = (*sink)->Reopen();
  ASSERT_TRUE(fd.ok()) << fd.status();
  char read_back[5] = {};
  EXPECT_EQ(pread(fd->get(), read_back, 4, 0), 4);
  EXPECT_STREQ(read_back, "data");
}

TEST_F(FileSinkTest, AnotherFileUnderThePartialNameIsNotTakenForOurs) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  const std::string partial = *Files().begin();
  ASSERT_EQ(unlink((path_ + "/" + partial).c_str()), 0);
  Put(partial, "planted");
  EXPECT_EQ((*sink)->Reopen().status().code(), absl::StatusCode::kAborted);
}

TEST_F(FileSinkTest, AFileThatExistsIsRefusedAndKept) {
  Put("core", "precious");
  const OutputDir dir = Dir();
  const absl::Status status = FileSink::Create(dir, "core").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + "/core"));
  EXPECT_EQ(Content("core"), "precious");
}

TEST_F(FileSinkTest, AFileThatAppearsBeforeCommitIsKept) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  ASSERT_TRUE((*sink)->Sync().ok());
  Put("core", "precious");
  EXPECT_EQ((*sink)->Commit().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Content("core"), "precious");
  EXPECT_TRUE((*sink)->CommitAs("core.1").ok());
  EXPECT_EQ(Files(), (std::set<std::string>{"core", "core.1"}));
}

TEST_F(FileSinkTest, APlantedSymlinkIsNotFollowed) {
  Put("victim", "precious");
  ASSERT_EQ(symlink("victim", (path_ + "/core").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", (path_ + "/dangling").c_str()), 0);
  const OutputDir dir = Dir();
  EXPECT_EQ(FileSink::Create(dir, "core").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(FileSink::Create(dir, "dangling").status().code(), absl::StatusCode::kAlreadyExists);

  auto sink = FileSink::Create(dir, "late");
  ASSERT_TRUE((*sink)->Sync().ok());
  ASSERT_EQ(symlink("victim", (path_ + "/late").c_str()), 0);
  EXPECT_EQ((*sink)->Commit().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Content("victim"), "precious");
}

TEST_F(FileSinkTest, OnlyOnePathComponentIsAName) {
  const OutputDir dir = Dir();
  for (const std::string name : {"", ".", "..", "a/b", "../x", "/etc/x"}) {
    EXPECT_EQ(FileSink::Create(dir, name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(FileSinkTest, CommitWantsASyncAfterTheLastWrite) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  EXPECT_EQ((*sink)->Commit().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE((*sink)->Sync().ok());
  ASSERT_TRUE((*sink)->WriteAt(0, Bytes("x")).ok());
  EXPECT_EQ((*sink)->Commit().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(FileSinkTest, AMissingDirectoryIsNamed) {
  const absl::Status status = OutputDir::Open(path_ + "/missing").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + "/missing"));
  Put("file", "");
  EXPECT_FALSE(OutputDir::Open(path_ + "/file").ok());
  EXPECT_FALSE(OutputDir::Open("").ok());
}

TEST_F(FileSinkTest, ADirectoryThatVanishedIsAnErrorOfCreate) {
  const OutputDir dir = Dir();
  ASSERT_EQ(rmdir(path_.c_str()), 0);
  EXPECT_EQ(FileSink::Create(dir, "core").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FileSinkTest, AReadOnlyDirectoryIsAnErrorOfCreate) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write to any directory";
  ASSERT_EQ(chmod(path_.c_str(), 0500), 0);
  const OutputDir dir = Dir();
  EXPECT_EQ(FileSink::Create(dir, "core").status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(FileSinkTest, AFileSystemThatTakesNoFilesIsAnErrorOfCreate) {
  auto proc = OutputDir::Open("/proc/self");
  if (!proc.ok()) GTEST_SKIP() << "no /proc";
  const absl::Status status = FileSink::Create(*proc, "core").status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("/proc/self/.core.partial."));
}

// RLIMIT_FSIZE stops the write half-way, as a full disk does.
TEST_F(FileSinkTest, AWriteThatDoesNotFitFailsForGood) {
  const OutputDir dir = Dir();
  auto sink = FileSink::Create(dir, "core");
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{6, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = (*sink)->WriteAt(0, Bytes("eight by"));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(std::string(status.message()), HasSubstr("File too large"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + "/.core.partial."));
  EXPECT_EQ((*sink)->WriteAt(0, Bytes("x")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*sink)->Sync().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*sink)->Commit().code(), absl::StatusCode::kFailedPrecondition);
  sink->reset();
  EXPECT_TRUE(Files().empty());
}

// Writes 3 MiB that are page-aligned, 3 MiB that are not, and then a few bytes.
TEST_F(FileSinkTest, LargeWritesAndSmallOnesMakeOneFile) {
  constexpr size_t kLarge = 3 << 20;
  std::vector<uint8_t> buffer(kLarge + 8192);
  for (size_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<uint8_t>(i * 7 + i / 4096);
  const size_t aligned = 4096 - reinterpret_cast<uintptr_t>(buffer.data()) % 4096;
  const std::span<const uint8_t> bytes(buffer);
  const OutputDir dir = Dir();
  auto sink = *FileSink::Create(dir, "core");
  ASSERT_TRUE(sink->WriteAt(4096, bytes.subspan(aligned, kLarge)).ok());
  ASSERT_TRUE(sink->WriteAt(4096 + kLarge, bytes.subspan(aligned + 1, kLarge)).ok());
  ASSERT_TRUE(sink->WriteAt(0, Bytes("head")).ok());
  ASSERT_TRUE(sink->Sync().ok());
  ASSERT_TRUE(sink->Commit().ok());
  const std::string content = Content("core");
  ASSERT_EQ(content.size(), 4096 + 2 * kLarge);
  EXPECT_EQ(content.substr(0, 4), "head");
  EXPECT_EQ(std::memcmp(content.data() + 4096, bytes.data() + aligned, kLarge), 0);
  EXPECT_EQ(std::memcmp(content.data() + 4096 + kLarge, bytes.data() + aligned + 1, kLarge), 0);
}

TEST_F(FileSinkTest, AFileThatTookThePlaceOfThePartialOneIsNotOurs) {
  const OutputDir dir = Dir();
  auto sink = *FileSink::Create(dir, "core");
  ASSERT_TRUE(sink->WriteAt(0, Bytes("ours")).ok());
  ASSERT_TRUE(sink->Sync().ok());
  Put("theirs", "theirs");
  ASSERT_EQ(rename((path_ + "/theirs").c_str(), (path_ + "/" + *Files().begin()).c_str()), 0);
  const absl::Status status = sink->Commit();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("somebody replaced it"));
}

}  // namespace
}  // namespace vmm
