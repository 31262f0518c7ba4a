#include "devices/disk/overlay_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr size_t kSize = 64 * 4096 + 512;  // its last block is short

std::string TempPath(const std::string& name) {
  return testing::TempDir() + "/" + name + "-" + std::to_string(getpid());
}

std::string NewFile(const std::string& name, const std::string& bytes) {
  const std::string path = TempPath(name);
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  EXPECT_EQ(pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  close(fd);
  return path;
}

std::string FileText(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text(static_cast<size_t>(lseek(fd, 0, SEEK_END)), '?');
  EXPECT_EQ(pread(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  close(fd);
  return text;
}

std::unique_ptr<RawDisk> Below(const std::string& path) {
  auto disk = RawDisk::Open(path, RawDisk::Access::kReadOnly);
  EXPECT_TRUE(disk.ok()) << disk.status();
  return *std::move(disk);
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

std::string RandomBytes(uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(kSize, 0);
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Reads, writes and zeroes at random, and compares with a string.
void CheckAgainstModel(OverlayDisk& disk, std::string& model, uint32_t seed, int steps) {
  std::mt19937 random(seed);
  for (int i = 0; i < steps; ++i) {
    const uint64_t sector = random() % (kSize / 512);
    const uint64_t count = std::min<uint64_t>(random() % 40, kSize / 512 - sector);
    const uint64_t offset = sector * 512, bytes = count * 512;
    switch (random() % 4) {
      case 0: {
        const std::string text(bytes, static_cast<char>('A' + i % 26));
        ASSERT_TRUE(WriteText(disk, offset, text).ok());
        model.replace(offset, bytes, text);
        break;
      }
      case 1:
        ASSERT_TRUE(disk.Zero(offset, bytes, i % 2 == 0).ok());
        model.replace(offset, bytes, std::string(bytes, 0));
        break;
      case 2: ASSERT_EQ(ReadText(disk, offset, bytes), model.substr(offset, bytes)) << "step " << i; break;
      case 3:
        ASSERT_TRUE(disk.Discard(offset, bytes).ok());
        // Only the driver's own range may have changed.
        const std::string now = ReadText(disk, 0, kSize);
        ASSERT_EQ(now.substr(0, offset), model.substr(0, offset)) << "step " << i;
        ASSERT_EQ(now.substr(offset + bytes), model.substr(offset + bytes)) << "step " << i;
        model = now;
        break;
    }
  }
  ASSERT_EQ(ReadText(disk, 0, kSize), model);
}

TEST(OverlayDisk, ReadsAndWritesLikeADiskAndLeavesTheOneBelowAlone) {
  const std::string bytes = RandomBytes(1);
  const std::string path = NewFile("below", bytes);
  auto disk = OverlayDisk::InMemory(Below(path), ~uint64_t{0});
  ASSERT_TRUE(disk.ok()) << disk.status();
  std::string model = bytes;
  CheckAgainstModel(**disk, model, 7, 2000);
  EXPECT_EQ(FileText(path), bytes);
}

TEST(OverlayDisk, HoldsOnlyWhatWasWrittenAndGivesDiscardedBlocksBack) {
  auto disk = OverlayDisk::InMemory(Below(NewFile("below-held", RandomBytes(2))), ~uint64_t{0});
  ASSERT_TRUE(disk.ok());
  EXPECT_EQ((*disk)->bytes_held(), 0u);
  ASSERT_TRUE(WriteText(**disk, 512, std::string(512, 'x')).ok());
  EXPECT_EQ((*disk)->bytes_held(), 4096u);
  ASSERT_TRUE(WriteText(**disk, 8192, std::string(16384, 'x')).ok());
  EXPECT_EQ((*disk)->bytes_held(), 5 * 4096u);
  ASSERT_TRUE((*disk)->Discard(8192, 16384).ok());
  EXPECT_EQ((*disk)->bytes_held(), 4096u);
  ASSERT_TRUE((*disk)->Zero(0, kSize, true).ok());
  EXPECT_EQ((*disk)->bytes_held(), 0u);
  EXPECT_EQ(ReadText(**disk, 0, kSize), std::string(kSize, 0));
}

TEST(OverlayDisk, FullMemoryIsAnErrorThatDiscardMends) {
  auto disk = OverlayDisk::InMemory(Below(NewFile("below-cap", RandomBytes(3))), 4 * 4096);
  ASSERT_TRUE(disk.ok());
  ASSERT_TRUE(WriteText(**disk, 0, std::string(4 * 4096, 'x')).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(WriteText(**disk, 4 * 4096, std::string(512, 'y'))));
  EXPECT_TRUE(WriteText(**disk, 0, std::string(4 * 4096, 'z')).ok()) << "what it has may change";
  EXPECT_TRUE(absl::IsResourceExhausted((*disk)->Zero(5 * 4096 + 512, 512, true))) << "a copied end counts too";
  ASSERT_TRUE((*disk)->Discard(0, 4096).ok());
  EXPECT_TRUE(WriteText(**disk, 4 * 4096, std::string(512, 'y')).ok());
}

TEST(OverlayDisk, AFileKeepsTheChangesForTheNextRun) {
  const std::string bytes = RandomBytes(4);
  const std::string below = NewFile("below-file", bytes), over = TempPath("over");
  unlink(over.c_str());
  std::string model = bytes;
  for (uint32_t run = 0; run < 3; ++run) {
    auto disk = OverlayDisk::InFile(Below(below), over);
    ASSERT_TRUE(disk.ok()) << disk.status();
    ASSERT_EQ(ReadText(**disk, 0, kSize), model) << "run " << run;
    CheckAgainstModel(**disk, model, 100 + run, 500);
  }
  EXPECT_EQ(FileText(below), bytes);
}

TEST(OverlayDisk, AfterACrashTheFileHasWhatWasFlushed) {
  const std::string bytes = RandomBytes(5);
  const std::string below = NewFile("below-crash", bytes), over = TempPath("over-crash"), copy = TempPath("copy");
  unlink(over.c_str());
  auto disk = OverlayDisk::InFile(Below(below), over);
  ASSERT_TRUE(disk.ok());
  ASSERT_TRUE(WriteText(**disk, 512, std::string(512, 'x')).ok());
  ASSERT_TRUE((*disk)->Flush().ok());
  ASSERT_TRUE(WriteText(**disk, 40960, std::string(512, 'y')).ok());
  NewFile("copy", FileText(over));  // as a crash would leave it

  auto after = OverlayDisk::InFile(Below(below), copy);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(ReadText(**after, 512, 512), std::string(512, 'x'));
  EXPECT_EQ(ReadText(**after, 40960, 4096), bytes.substr(40960, 4096)) << "a block without its bit is the old one";
}

TEST(OverlayDisk, RefusesAFileThatIsNotItsOwn) {
  const std::string below = NewFile("below-own", RandomBytes(6)), over = TempPath("over-own");
  unlink(over.c_str());
  ASSERT_TRUE(OverlayDisk::InFile(Below(below), over).ok());
  auto first = OverlayDisk::InFile(Below(below), over);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(absl::IsFailedPrecondition(OverlayDisk::InFile(Below(below), over).status())) << "locked";
  first->reset();

  EXPECT_TRUE(absl::IsInvalidArgument(OverlayDisk::InFile(Below(below), below).status())) << "the disk itself";
  const std::string foreign = NewFile("foreign", std::string(10000, 'f'));
  EXPECT_TRUE(absl::IsInvalidArgument(OverlayDisk::InFile(Below(below), foreign).status()));
  EXPECT_EQ(FileText(foreign), std::string(10000, 'f'));

  const timespec times[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, below.c_str(), times, 0), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(OverlayDisk::InFile(Below(below), over).status())) << "the disk changed";
}

}  // namespace
}  // namespace vmm
