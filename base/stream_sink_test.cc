#include "base/stream_sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A pipe, and a thread that reads it to the end.
class StreamSinkTest : public ::testing::Test {
 protected:
  void Open(int flags = 0) {
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    in_.reset(ends[1]);
    out_.reset(ends[0]);
    ASSERT_EQ(fcntl(in_.get(), F_SETFL, flags), 0);
  }

  void StartReader() {
    reader_ = std::thread([this] {
      char buffer[10000];
      for (ssize_t got; (got = read(out_.get(), buffer, sizeof(buffer))) > 0;) {
        content_.append(buffer, static_cast<size_t>(got));
      }
    });
  }

  const std::string& Content() {
    in_.reset();
    reader_.join();
    return content_;
  }

  UniqueFd in_, out_;
  std::thread reader_;
  std::string content_;
};

// A descriptor that is readable: a stop has been requested.
class Stop {
 public:
  Stop() : fd_(eventfd(0, EFD_CLOEXEC)) {}
  int fd() const { return fd_.get(); }
  void Say() {
    const uint64_t one = 1;
    EXPECT_EQ(write(fd_.get(), &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  }

 private:
  UniqueFd fd_;
};

TEST_F(StreamSinkTest, AReaderThatNeverReadsIsGivenUpAfterAStop) {
  for (const int flags : {0, O_NONBLOCK}) {
    Open(flags);
    Stop stop;
    StreamSink sink(in_.get(), "fd:3", stop.fd());
    std::thread user([&stop] {
      usleep(50'000);
      stop.Say();
    });
    const absl::Status status = sink.WriteAt(0, std::vector<uint8_t>(1 << 20, 'x'));
    user.join();
    EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("fd:3: told to stop, and its reader took nothing"));
  }
}

TEST_F(StreamSinkTest, AReaderThatReadsGetsAllOfItStopOrNot) {
  Open();
  StartReader();
  Stop stop;
  stop.Say();
  StreamSink sink(in_.get(), "fd:3", stop.fd());
  EXPECT_TRUE(sink.WriteAt(0, std::vector<uint8_t>(1 << 20, 'x')).ok());
  EXPECT_EQ(Content(), std::string(1 << 20, 'x'));
}

TEST_F(StreamSinkTest, GapsAndTheRestAreZeros) {
  Open();
  StartReader();
  StreamSink sink(in_.get(), "fd:3");
  ASSERT_TRUE(sink.SetSize(300000).ok());
  ASSERT_TRUE(sink.WriteAt(0, Bytes("head")).ok());
  ASSERT_TRUE(sink.WriteAt(200000, Bytes("data")).ok());
  ASSERT_TRUE(sink.WriteAt(200004, Bytes("more")).ok());
  ASSERT_TRUE(sink.Finish().ok());
  std::string expected = "head" + std::string(199996, '\0') + "datamore";
  expected.resize(300000);
  EXPECT_TRUE(Content() == expected);
}

TEST_F(StreamSinkTest, AReaderThatIsSlowIsWaitedFor) {
  Open(O_NONBLOCK);
  StreamSink sink(in_.get(), "fd:3");
  const std::string data(500000, 'x');
  std::thread writer([&] { EXPECT_TRUE(sink.WriteAt(0, Bytes(data)).ok()); });
  usleep(20000);
  StartReader();
  writer.join();
  EXPECT_TRUE(Content() == data);
}

TEST_F(StreamSinkTest, AReaderThatWentAwayIsToldSo) {
  Open();
  StreamSink sink(in_.get(), "fd:3");
  ASSERT_TRUE(sink.SetSize(10000).ok());
  ASSERT_TRUE(sink.WriteAt(0, Bytes("head")).ok());
  out_.reset();
  const std::string message(sink.WriteAt(4, Bytes("data")).message());
  EXPECT_THAT(message, HasSubstr("fd:3: its reader went away after 4 of 10000 bytes: Broken pipe"));
}

TEST_F(StreamSinkTest, ASocketWillDo) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  in_.reset(ends[0]);
  out_.reset(ends[1]);
  StartReader();
  StreamSink sink(in_.get(), "fd:3");
  ASSERT_TRUE(sink.WriteAt(2, Bytes("data")).ok());
  ASSERT_TRUE(sink.Finish().ok());
  EXPECT_EQ(Content(), std::string("\0\0data", 6));
}

TEST_F(StreamSinkTest, ThereIsNoWayBack) {
  Open();
  StreamSink sink(in_.get(), "fd:3");
  ASSERT_TRUE(sink.WriteAt(8, Bytes("data")).ok());
  EXPECT_EQ(sink.WriteAt(0, Bytes("head")).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StreamSinkTest, AFullDeviceIsTold) {
  UniqueFd full(open("/dev/full", O_WRONLY));
  if (!full.valid()) GTEST_SKIP() << "no /dev/full";
  StreamSink sink(full.get(), "fd:3");
  EXPECT_EQ(sink.WriteAt(0, Bytes("data")).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace vmm
