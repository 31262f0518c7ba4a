#include "devices/disk/raw_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string NewFile(const std::string& name, size_t size, char fill = 'b') {
  const std::string path = testing::TempDir() + "/" + name + "-" + std::to_string(getpid());
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string bytes(size, fill);
  EXPECT_EQ(pwrite(fd, bytes.data(), size, 0), static_cast<ssize_t>(size));
  close(fd);
  return path;
}

std::string ReadText(DiskStorage& disk, uint64_t offset, size_t size) {
  std::string text(size, '?');
  const iovec buffer = {text.data(), size};
  EXPECT_TRUE(disk.Read(offset, {&buffer, 1}).ok());
  return text;
}

absl::Status WriteText(DiskStorage& disk, uint64_t offset, std::string text) {
  const iovec buffer = {text.data(), text.size()};
  return disk.Write(offset, {&buffer, 1});
}

TEST(RawDisk, WritesLandInTheFileAtTheirOffset) {
  const std::string path = NewFile("raw", 4096);
  auto disk = RawDisk::Open(path, RawDisk::Access::kReadWrite);
  ASSERT_TRUE(disk.ok()) << disk.status();
  EXPECT_EQ((*disk)->size(), 4096u);
  ASSERT_TRUE(WriteText(**disk, 1024, std::string(512, 'x')).ok());
  ASSERT_TRUE((*disk)->Flush().ok());
  EXPECT_EQ(ReadText(**disk, 512, 1536), std::string(512, 'b') + std::string(512, 'x') + std::string(512, 'b'));
}

TEST(RawDisk, ReadsIntoMoreBuffersThanOneCallTakes) {
  const std::string path = NewFile("raw-many", 512 * 2048);
  auto disk = RawDisk::Open(path, RawDisk::Access::kReadOnly);
  ASSERT_TRUE(disk.ok());
  std::string text(512 * 2048, '?');
  std::vector<iovec> buffers;
  for (size_t i = 0; i < 2048; ++i) buffers.push_back({text.data() + i * 512, 512});
  ASSERT_TRUE((*disk)->Read(0, buffers).ok());
  EXPECT_EQ(text, std::string(512 * 2048, 'b'));
}

TEST(RawDisk, DiscardedAndZeroedRangesLoseTheirBytesAndKeepTheSize) {
  const std::string path = NewFile("raw-zero", 65536);
  auto disk = RawDisk::Open(path, RawDisk::Access::kReadWrite);
  ASSERT_TRUE(disk.ok());
  ASSERT_TRUE((*disk)->Zero(512, 1024, false).ok());
  ASSERT_TRUE((*disk)->Zero(8192, 8192, true).ok());
  ASSERT_TRUE((*disk)->Discard(32768, 32768).ok());
  EXPECT_EQ(ReadText(**disk, 0, 2048), std::string(512, 'b') + std::string(1024, 0) + std::string(512, 'b'));
  EXPECT_EQ(ReadText(**disk, 8192, 8192), std::string(8192, 0));
  struct stat st = {};
  ASSERT_EQ(stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 65536);
}

TEST(RawDisk, TwoWritersOfOneFileAreRefusedAndTwoReadersAreNot) {
  const std::string path = NewFile("raw-lock", 4096);
  auto writer = RawDisk::Open(path, RawDisk::Access::kReadWrite);
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(RawDisk::Open(path, RawDisk::Access::kReadWrite).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(RawDisk::Open(path, RawDisk::Access::kReadOnly).status()));
  writer->reset();
  auto reader = RawDisk::Open(path, RawDisk::Access::kReadOnly);
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE(RawDisk::Open(path, RawDisk::Access::kReadOnly).ok());
  const absl::Status refused = RawDisk::Open(path, RawDisk::Access::kReadWrite).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_NE(refused.message().find(",overlay"), std::string::npos) << refused;
}

TEST(RawDisk, RefusesWhatIsNoDisk) {
  EXPECT_TRUE(absl::IsNotFound(RawDisk::Open("/nonexistent/disk", RawDisk::Access::kReadOnly).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RawDisk::Open(testing::TempDir(), RawDisk::Access::kReadOnly).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RawDisk::Open("/dev/null", RawDisk::Access::kReadOnly).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RawDisk::Open(NewFile("empty", 0), RawDisk::Access::kReadOnly).status()));
  const absl::Status odd = RawDisk::Open(NewFile("odd", 1000), RawDisk::Access::kReadOnly).status();
  EXPECT_NE(odd.message().find("truncate -s %512"), std::string::npos) << odd;
  const std::string fifo = testing::TempDir() + "/fifo-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(RawDisk::Open(fifo, RawDisk::Access::kReadOnly).status()));
}

TEST(RawDisk, AFileCutShortIsAnErrorAndNotOldBytes) {
  const std::string path = NewFile("raw-cut", 4096);
  auto disk = RawDisk::Open(path, RawDisk::Access::kReadOnly);
  ASSERT_TRUE(disk.ok());
  ASSERT_EQ(truncate(path.c_str(), 1024), 0);
  std::string text(2048, '?');
  const iovec buffer = {text.data(), text.size()};
  EXPECT_TRUE(absl::IsDataLoss((*disk)->Read(0, {&buffer, 1})));
}

}  // namespace
}  // namespace vmm
