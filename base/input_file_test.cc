#include "base/input_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::HasSubstr;

std::string Path(const std::string& name) {
  std::string path = testing::TempDir() + "/" + std::to_string(getpid()) + name;
  unlink(path.c_str());
  return path;
}

std::string WriteFile(const std::string& name, const std::string& bytes) {
  const std::string path = Path(name);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string Refusal(const std::string& path, InputSize allowed = {}) {
  const auto file = InputFile::Open(path, allowed);
  return file.ok() ? "no refusal" : std::string(file.status().message());
}

TEST(InputFileTest, BytesAreReadFromAnyOffset) {
  const auto file = InputFile::Open(WriteFile("file", "12345"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 5u);
  std::array<uint8_t, 2> out{};
  ASSERT_TRUE(file->Read(3, out).ok());
  EXPECT_EQ(out, (std::array<uint8_t, 2>{'4', '5'}));
  EXPECT_EQ(*file->ReadAll(), "12345");
}

TEST(InputFileTest, AFileThatShrinksWhileItIsReadIsAnErrorNotACrash) {
  const std::string path = WriteFile("file", std::string(10000, 7));
  const auto file = InputFile::Open(path);
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(truncate(path.c_str(), 5000), 0);
  const absl::Status status = file->ReadAll().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ended at 5000 bytes while it was read; it had 10000"));
}

TEST(InputFileTest, ASymbolicLinkLeadsToItsFile) {
  const std::string target = WriteFile("target", "abc");
  const std::string link = Path("link");
  ASSERT_EQ(symlink(target.c_str(), link.c_str()), 0);
  EXPECT_EQ(*InputFile::Open(link)->ReadAll(), "abc");
}

TEST(InputFileTest, WhateverIsNoRegularFileIsNamedAndNothingWaitsForIt) {
  const std::string fifo = Path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(Refusal(fifo), "it is a FIFO, not a regular file");
  EXPECT_EQ(Refusal("/"), "it is a directory, not a regular file");
  EXPECT_EQ(Refusal("/dev/zero"), "it is a character device, not a regular file");
  EXPECT_THAT(Refusal(Path("none")), HasSubstr("No such file"));

  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = "/tmp/" + std::to_string(getpid()) + ".socket";  // must be short
  std::copy(name.begin(), name.end(), address.sun_path);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(Refusal(name), "it is a socket, not a regular file");
  unlink(name.c_str());
}

TEST(InputFileTest, ALimitIsNamedWithTheSizeThatBreaksIt) {
  const std::string huge = WriteFile("huge", "");
  ASSERT_EQ(truncate(huge.c_str(), 1ll << 40), 0);
  EXPECT_EQ(Refusal(huge, {.most = 4096}), "it has 1099511627776 bytes, more than the 4096 bytes allowed here");
  EXPECT_TRUE(InputFile::Open(huge).ok());
  EXPECT_EQ(InputFile::Open(huge)->allocated(), 0u);
  EXPECT_TRUE(InputFile::Open(WriteFile("just", std::string(4096, 'x')), {.most = 4096}).ok());
}

TEST(InputFileTest, AnEmptyFileIsRefusedUnlessItsUseAllowsIt) {
  const std::string path = WriteFile("empty", "");
  EXPECT_EQ(Refusal(path), "the file is empty");
  EXPECT_EQ(*InputFile::Open(path, {.may_be_empty = true})->ReadAll(), "");
}

// A pipe, as a shell's <(command) passes it.
class SmallInputTest : public testing::Test {
 protected:
  SmallInputTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
  }

  std::string PipePath() const { return "/proc/self/fd/" + std::to_string(reader_.get()); }

  UniqueFd reader_;
  UniqueFd writer_;
};

TEST_F(SmallInputTest, AnAnonymousPipeIsReadToItsEndHoweverItsBytesCome) {
  std::thread program([&] {
    for (const char* part : {"one ", "two"}) {
      EXPECT_GT(write(writer_.get(), part, std::string_view(part).size()), 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    writer_.reset();
  });
  EXPECT_EQ(*ReadSmallInput(PipePath(), 100), "one two");
  program.join();
}

TEST_F(SmallInputTest, APipeThatIsNeverClosedIsGivenUpAfterItsTime) {
  ASSERT_EQ(write(writer_.get(), "x", 1), 1);
  const absl::Status status = ReadSmallInput(PipePath(), 100, 50).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()), HasSubstr("did not close it within 50 ms"));
}

TEST_F(SmallInputTest, APipeWithoutEndIsGivenUpAtTheLimit) {
  const std::string much(5000, 'x');
  ASSERT_EQ(write(writer_.get(), much.data(), much.size()), 5000);
  EXPECT_THAT(std::string(ReadSmallInput(PipePath(), 4999).status().message()), HasSubstr("4999 bytes"));
}

TEST_F(SmallInputTest, AFifoWithANameIsRefusedEvenWithAWriter) {
  const std::string fifo = Path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const UniqueFd writer(open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_THAT(std::string(ReadSmallInput(fifo, 10).status().message()), HasSubstr("it is a FIFO"));
}

TEST_F(SmallInputTest, AFileMayBeEmptyAndMayNotBreakTheLimit) {
  EXPECT_EQ(*ReadSmallInput(WriteFile("empty", ""), 10), "");
  EXPECT_EQ(*ReadSmallInput(WriteFile("ten", "1234567890"), 10), "1234567890");
  EXPECT_THAT(std::string(ReadSmallInput(WriteFile("more", "12345678901"), 10).status().message()),
              HasSubstr("11 bytes, more than the 10"));
}

}  // namespace
}  // namespace vmm
