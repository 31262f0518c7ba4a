#include <fcntl.h>

#include <optional>
#include <string>

#include "devices/virtio/net/frame_device.h"
#include "devices/virtio/net/frame_stream.h"
#include "devices/virtio/testing/socket_pair.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A frame of `size` bytes with its length in front.
std::string Framed(const std::string& frame) {
  const size_t size = frame.size();
  return std::string{static_cast<char>(size >> 24), static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                     static_cast<char>(size)} +
         frame;
}

// The next frame of `link`, or its error; "" if none has come.
absl::StatusOr<std::string> Next(FrameLink& link) {
  const absl::StatusOr<std::span<const uint8_t>> frame = link.Receive();
  if (!frame.ok()) return frame.status();
  return std::string(frame->begin(), frame->end());
}

class FrameStreamTest : public testing::Test {
 protected:
  SocketPair sockets_;
  FrameStream stream_{"passt", std::move(sockets_.ours)};
};

TEST_F(FrameStreamTest, AFrameIsSentAfterItsLengthInBigEndian) {
  const std::string frame(300, 'x');
  EXPECT_TRUE(*stream_.Send(Bytes(frame)));
  EXPECT_EQ(sockets_.Heard(), std::string("\0\0\x01\x2c", 4) + frame);
}

TEST_F(FrameStreamTest, AFrameThatComesByteByByteIsOneFrame) {
  const std::string frame(40, 'a');
  for (const char byte : Framed(frame)) {
    EXPECT_EQ(*Next(stream_), "");
    ASSERT_TRUE(sockets_.Say({&byte, 1}));
  }
  EXPECT_EQ(*Next(stream_), frame);
  EXPECT_EQ(*Next(stream_), "");
}

TEST_F(FrameStreamTest, ManyFramesInOneReadAreTakenOneByOne) {
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += Framed(std::string(20 + i, static_cast<char>(i)));
  ASSERT_TRUE(sockets_.Say(bytes));
  for (int i = 0; i < 500; ++i) ASSERT_EQ(*Next(stream_), std::string(20 + i, static_cast<char>(i)));
  EXPECT_EQ(*Next(stream_), "");
}

TEST_F(FrameStreamTest, TheLargestFramePassesInBothDirections) {
  const std::string frame(kMaxFrameBytes, 'L');
  EXPECT_TRUE(*stream_.Send(Bytes(frame)));
  std::string heard;
  while (heard.size() < frame.size() + 4) {
    heard += sockets_.Heard();
    ASSERT_TRUE(stream_.Flush().ok());
  }
  EXPECT_EQ(heard, Framed(frame));
  ASSERT_TRUE(sockets_.Say(Framed(frame)));
  EXPECT_EQ(*Next(stream_), frame);
}

TEST_F(FrameStreamTest, AReaderThatIsBusyGetsEveryTakenFrameWholeAndInOrder) {
  const std::string frame(60000, 'b');
  int taken = 0;
  while (*stream_.Send(Bytes(frame))) ++taken;
  ASSERT_GT(taken, 1);
  EXPECT_FALSE(*stream_.Flush());
  std::string heard, all;
  for (int i = 0; i < taken; ++i) all += Framed(frame);
  for (int i = 0; i < 10000 && heard.size() < all.size(); ++i) {
    heard += sockets_.Heard();
    ASSERT_TRUE(stream_.Flush().ok());
  }
  EXPECT_EQ(heard, all);
}

TEST_F(FrameStreamTest, ALengthThatNoFrameHasIsAnError) {
  ASSERT_TRUE(sockets_.Say(std::string("\xff\xff\xff\xff", 4)));
  EXPECT_THAT(std::string(Next(stream_).status().message()), testing::HasSubstr("passt: a frame of 4294967295 bytes"));
}

TEST_F(FrameStreamTest, AClosedSocketIsAnErrorThatNamesTheProgram) {
  sockets_.theirs.reset();
  EXPECT_EQ(Next(stream_).status().message(), "passt: closed its socket");
  EXPECT_FALSE(stream_.Send(Bytes(std::string(60, 'x'))).ok());
}

TEST(FrameDeviceTest, AFrameIsAMessageInBothDirections) {
  SocketPair sockets(SOCK_SEQPACKET);
  ASSERT_EQ(fcntl(sockets.ours.get(), F_SETFL, O_NONBLOCK), 0);
  FrameDevice device("tap0", std::move(sockets.ours));
  const std::string frame(60, 'f');
  EXPECT_EQ(*Next(device), "");
  EXPECT_TRUE(*device.Send(Bytes(frame)));
  EXPECT_EQ(sockets.Heard(), frame);
  ASSERT_TRUE(sockets.Say("short"));
  ASSERT_TRUE(sockets.Say(frame));
  EXPECT_EQ(*Next(device), frame);
}

}  // namespace
}  // namespace vmm
