#include "base/result_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::string_view kRecord = "{\"schema_version\": 1}\n";

class ResultFileTest : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);
    std::string pattern = testing::TempDir() + "/result.XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }

  std::string Path(const std::string& name) const { return dir_ + "/" + name; }

  static std::string Read(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  static absl::Status Write(const std::string& path) {
    const auto file = ResultFile::Open(path);
    return file.ok() ? (*file)->Write(kRecord, -1, absl::Milliseconds(200)) : file.status();
  }

  std::string dir_;
};

std::string ReadSome(int fd) {
  std::array<char, 4096> buffer;
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  return got < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(got));
}

struct Pipe {
  Pipe() {
    std::array<int, 2> fds;
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
    reader.reset(fds[0]);
    writer.reset(fds[1]);
  }
  UniqueFd reader, writer;
};

TEST_F(ResultFileTest, AnOlderRecordIsReplacedWhole) {
  std::ofstream(Path("result.json")) << std::string(100000, 'x');
  ASSERT_TRUE(Write(Path("result.json")).ok());
  EXPECT_EQ(Read(Path("result.json")), kRecord);
}

TEST_F(ResultFileTest, ASymlinkStaysAndTheFileAtItsEndIsReplaced) {
  std::ofstream(Path("target")) << "old";
  fs::create_symlink("target", Path("link"));
  ASSERT_TRUE(Write(Path("link")).ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Read(Path("target")), kRecord);
}

TEST_F(ResultFileTest, ASymlinkToNothingIsRefused) {
  fs::create_symlink("nowhere", Path("link"));
  EXPECT_THAT(Write(Path("link")).message(), HasSubstr("symlink to nothing"));
}

TEST_F(ResultFileTest, ADeviceIsWrittenToAndStays) {
  EXPECT_TRUE(Write("/dev/null").ok());
  struct stat st = {};
  ASSERT_EQ(stat("/dev/null", &st), 0);
  EXPECT_TRUE(S_ISCHR(st.st_mode));
}

TEST_F(ResultFileTest, WhatADeviceRefusesIsAnError) {
  EXPECT_THAT(Write("/dev/full").message(), HasSubstr("No space left"));
}

TEST_F(ResultFileTest, DirectoriesAndSocketsAreRefusedBeforeAnythingRuns) {
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  // Uses a relative name, because sun_path is short.
  fs::current_path(dir_);
  strncpy(address.sun_path, "socket", sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_THAT(ResultFile::Open(Path("socket")).status().message(), HasSubstr("socket"));
  EXPECT_THAT(ResultFile::Open(dir_).status().message(), HasSubstr("directory"));
  EXPECT_THAT(ResultFile::Open(dir_ + "/new/").status().message(), HasSubstr("directory"));
  EXPECT_FALSE(ResultFile::Open(Path("missing/result.json")).ok());
}

TEST_F(ResultFileTest, AFifoWithAReaderGetsTheRecordAndStays) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  const UniqueFd reader(open(Path("fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(Write(Path("fifo")).ok());
  EXPECT_EQ(ReadSome(reader.get()), kRecord);
  EXPECT_TRUE(fs::is_fifo(Path("fifo")));
}

TEST_F(ResultFileTest, AReaderOfAFifoMayComeWhenTheRunIsOver) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  const auto file = ResultFile::Open(Path("fifo"));
  ASSERT_TRUE(file.ok()) << file.status();
  std::string got;
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const UniqueFd fd(open(Path("fifo").c_str(), O_RDONLY | O_CLOEXEC));
    got = ReadSome(fd.get());
  });
  const absl::Status status = (*file)->Write(kRecord, -1);
  reader.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(got, kRecord);
}

TEST_F(ResultFileTest, AFifoThatNobodyEverReadsIsAnErrorAndNoWaitForEver) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(Write(Path("fifo")).message(), HasSubstr("nobody reads"));
}

TEST_F(ResultFileTest, OurOwnDescriptorIsWrittenToWhereItsOffsetStands) {
  const UniqueFd file(open(Path("out").c_str(), O_RDWR | O_CREAT, 0600));  // as if inherited
  ASSERT_EQ(write(file.get(), "console\n", 8), 8);
  for (const char* form : {"/dev/fd/", "/proc/self/fd/"}) {
    ASSERT_TRUE(Write(form + std::to_string(file.get())).ok());
  }
  EXPECT_EQ(Read(Path("out")), "console\n" + std::string(kRecord) + std::string(kRecord));
}

TEST_F(ResultFileTest, ADescriptorThatIsNotOpenOrOnlyReadIsRefused) {
  EXPECT_THAT(ResultFile::Open("/dev/fd/9999").status().message(), HasSubstr("Bad file descriptor"));
  const UniqueFd reading(open("/dev/null", O_RDONLY)), ours(open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_THAT(ResultFile::Open("/dev/fd/" + std::to_string(ours.get())).status().message(),
              HasSubstr("Bad file descriptor"));
  EXPECT_THAT(ResultFile::Open("/dev/fd/" + std::to_string(reading.get())).status().message(),
              HasSubstr("not open for writing"));
}

// Redirects standard output for its lifetime.
class OtherOutput {
 public:
  explicit OtherOutput(int fd) : before_(dup(STDOUT_FILENO)) {
    fflush(stdout);
    EXPECT_EQ(STDOUT_FILENO, dup2(fd, STDOUT_FILENO));
  }
  ~OtherOutput() { dup2(before_.get(), STDOUT_FILENO); }

 private:
  const UniqueFd before_;
};

TEST_F(ResultFileTest, TheFileThatStandardOutputGoesToIsNotReplaced) {
  const UniqueFd out(open(Path("out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(write(out.get(), "console\n", 8), 8);
  fs::create_symlink("/dev/stdout", Path("link"));
  const OtherOutput output(out.get());
  for (const std::string& path : {std::string("-"), std::string("/dev/stdout"), Path("out"), Path("link")}) {
    ASSERT_TRUE(Write(path).ok()) << path;
  }
  std::string expected = "console\n";
  for (int i = 0; i < 4; ++i) expected += kRecord;
  EXPECT_EQ(Read(Path("out")), expected);
}

TEST_F(ResultFileTest, AReaderWhoDoesNotReadIsNotWaitedForOnceTheUserSaysStop) {
  const UniqueFd stop(eventfd(1, EFD_CLOEXEC));
  const Pipe pipe;
  const OtherOutput output(pipe.writer.get());
  const auto file = ResultFile::Open("-");
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status = (*file)->Write(std::string(1 << 20, 'x'), stop.get(), absl::InfiniteDuration());
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST_F(ResultFileTest, NorForEverWithoutThat) {
  const Pipe pipe;
  const OtherOutput output(pipe.writer.get());
  const auto file = ResultFile::Open("-");
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status = (*file)->Write(std::string(1 << 20, 'x'), -1, absl::Milliseconds(200));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

}  // namespace
}  // namespace vmm
