#include "base/shared_output.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using Reopen = SharedOutput::Reopen;

struct Pipe {
  Pipe() {
    std::array<int, 2> fds;
    EXPECT_EQ(pipe2(fds.data(), O_CLOEXEC), 0);
    reader.reset(fds[0]);
    writer.reset(fds[1]);
  }
  UniqueFd reader, writer;
};

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string ReadSome(int fd) {
  std::array<char, 4096> buffer;
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  return got < 0 ? "" : std::string(buffer.data(), static_cast<size_t>(got));
}

// Tests both ways to write to a pipe: opening it again, and a thread if that is refused.
class SharedOutputTest : public testing::TestWithParam<Reopen> {
 protected:
  void SetUp() override { signal(SIGPIPE, SIG_IGN); }
};

TEST_P(SharedOutputTest, WhatIsWrittenComesOutInItsOrder) {
  const Pipe pipe;
  const auto output = *SharedOutput::Open(pipe.writer.get(), GetParam());
  ASSERT_TRUE(output->WriteAll(Bytes("one "), -1, absl::Seconds(5)).ok());
  ASSERT_TRUE(output->WriteAll(Bytes("two"), -1, absl::Seconds(5)).ok());
  ASSERT_TRUE(output->Drain(-1, absl::Seconds(5)).ok());
  std::string got;
  while (got.size() < 7) got += ReadSome(pipe.reader.get());
  EXPECT_EQ(got, "one two");
}

TEST_P(SharedOutputTest, AFullPipeIsEagainAndNeverAWait) {
  const Pipe pipe;
  const auto output = *SharedOutput::Open(pipe.writer.get(), GetParam());
  const std::string much(1 << 20, 'x');
  const absl::Time start = absl::Now();
  ssize_t put;
  do {
    put = output->WriteSome(Bytes(much));
    if (put < 0 && errno == EAGAIN) absl::SleepFor(absl::Milliseconds(20));  // lets the thread take what it can
  } while (put > 0 || absl::Now() < start + absl::Milliseconds(500));
  EXPECT_EQ(put, -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0) << "the flag is not ours to set";
}

TEST_P(SharedOutputTest, AReaderThatTakesNothingIsGivenUpAndNamed) {
  const Pipe pipe;
  const auto output = *SharedOutput::Open(pipe.writer.get(), GetParam());
  absl::Status status = output->WriteAll(Bytes(std::string(1 << 20, 'x')), -1, absl::Milliseconds(200));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST_P(SharedOutputTest, AReaderThatIsGoneIsAnError) {
  Pipe pipe;
  const auto output = *SharedOutput::Open(pipe.writer.get(), GetParam());
  pipe.reader.reset();
  absl::Status status = output->WriteAll(Bytes("x"), -1, absl::Seconds(5));
  status.Update(output->Drain(-1, absl::Seconds(5)));
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("Broken pipe"), std::string_view::npos) << status;
}

INSTANTIATE_TEST_SUITE_P(BothWays, SharedOutputTest, testing::Values(Reopen::kTry, Reopen::kNever),
                         [](const auto& info) { return info.param == Reopen::kTry ? "OpenedAgain" : "ByAThread"; });

TEST(SharedOutputFilesTest, AFileIsWrittenWhereItsOffsetStands) {
  std::string path = testing::TempDir() + "/file.XXXXXX";
  const UniqueFd file(mkstemp(path.data()));
  ASSERT_EQ(write(file.get(), "before ", 7), 7);
  const auto output = *SharedOutput::Open(file.get());
  ASSERT_TRUE(output->WriteAll(Bytes("after"), -1, absl::Seconds(5)).ok());
  ASSERT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
  EXPECT_EQ(ReadSome(file.get()), "before after");
}

TEST(SharedOutputFilesTest, AFullSocketIsEagain) {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd reader(ends[0]), writer(ends[1]);
  const auto output = *SharedOutput::Open(writer.get());
  const std::string much(1 << 20, 'x');
  ssize_t put;
  do {
    put = output->WriteSome(Bytes(much));
  } while (put > 0);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(SharedOutputFilesTest, ADescriptorThatIsNotOpenIsRefused) { EXPECT_FALSE(SharedOutput::Open(9999).ok()); }

}  // namespace
}  // namespace vmm
