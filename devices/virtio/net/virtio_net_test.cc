#include "devices/virtio/net/virtio_net.h"

#include <memory>
#include <string>
#include <vector>

#include "devices/virtio/abi/virtio_net_abi.h"
#include "devices/virtio/net/frame_stream.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/poll_loop.h"
#include "devices/virtio/testing/socket_pair.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr size_t kHeader = sizeof(VirtioNetHdr);

class VirtioNetTest : public testing::Test {
 protected:
  VirtioNetTest() : net_({2, 0, 0, 0, 0, 9}, 65520, std::make_unique<FrameStream>("passt", std::move(sockets_.ours))) {
    EXPECT_TRUE(net_.Activate(net_.features(), queues_, loop_).ok());
  }

  std::string Framed(const std::string& frame) {
    const auto byte = [&](int shift) { return static_cast<char>(frame.size() >> shift); };
    return std::string{byte(24), byte(16), byte(8), byte(0)} + frame;
  }

  // The guest sends `frame` after a header. `packet` must stay.
  void Send(std::string& packet) {
    tx_.Offer({BufferOf(packet)}, {});
    net_.OnQueue(kVirtioNetTransmitq);
  }

  SocketPair sockets_;
  FakeQueue rx_, tx_;
  std::vector<Virtqueue*> queues_ = {&rx_, &tx_};
  PollLoop loop_;
  VirtioNet net_;
};

TEST_F(VirtioNetTest, TheConfigurationHoldsAddressAndMtu) {
  std::vector<uint8_t> config(16, 0xee);
  net_.ReadConfig(0, config);
  EXPECT_EQ(config, (std::vector<uint8_t>{2, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0xf0, 0xff, 0, 0, 0, 0}));
  net_.ReadConfig(UINT64_MAX - 3, config);
  EXPECT_EQ(config, std::vector<uint8_t>(16, 0));
}

TEST_F(VirtioNetTest, AFrameOfTheGuestGoesOutWithoutItsHeader) {
  std::string header(kHeader, 'h'), frame(60, 'f');
  tx_.Offer({BufferOf(header), BufferOf(frame)}, {});
  net_.OnQueue(kVirtioNetTransmitq);
  EXPECT_EQ(sockets_.Heard(), Framed(frame));
  EXPECT_EQ(tx_.done().at(0).written, 0u);
  EXPECT_EQ(tx_.interrupts(), 1);
}

TEST_F(VirtioNetTest, HeaderAndFrameMayBeCutAnywhere) {
  std::string packet = std::string(kHeader, 'h') + std::string(60, 'f');
  std::vector<iovec> bytes;
  for (char& byte : packet) bytes.push_back({&byte, 1});
  tx_.Offer(bytes, {});
  net_.OnQueue(kVirtioNetTransmitq);
  EXPECT_EQ(sockets_.Heard(), Framed(std::string(60, 'f')));
}

TEST_F(VirtioNetTest, APacketThatIsNoFrameIsGivenBackAndNotSent) {
  std::string empty, header(kHeader, 'h'), runt(kHeader + 13, 'r'), giant(kHeader + kMaxFrameBytes + 1, 'g');
  for (std::string* packet : {&empty, &header, &runt, &giant}) Send(*packet);
  EXPECT_EQ(tx_.done().size(), 4u);
  EXPECT_EQ(sockets_.Heard(), "");
}

TEST_F(VirtioNetTest, AFrameOfTheHostFillsTheGuestsBufferAfterAHeader) {
  std::string first(20, '.'), second(200, '.');
  rx_.Offer({}, {BufferOf(first), BufferOf(second)});
  const std::string frame(60, 'f');
  ASSERT_TRUE(sockets_.Say(Framed(frame)));
  ASSERT_TRUE(loop_.RunUntil([&] { return !rx_.done().empty(); }));
  EXPECT_EQ(rx_.done()[0].written, kHeader + 60);
  EXPECT_EQ((first + second).substr(0, kHeader + 61), std::string("\0\0\0\0\0\0\0\0\0\0\1\0", 12) + frame + ".");
  EXPECT_EQ(rx_.interrupts(), 1);
}

// Firecracker, CVE-2020-16843: a card whose receive queue was full once was deaf from then on.
TEST_F(VirtioNetTest, AfterTheReceiveQueueWasEmptyFramesFlowAgainAndNoneIsLost) {
  std::string sent;
  for (int i = 0; i < 20; ++i) sent += Framed(std::string(60, static_cast<char>('a' + i)));
  ASSERT_TRUE(sockets_.Say(sent));
  while (loop_.RunOnce() != 0) {
  }
  EXPECT_TRUE(rx_.done().empty());
  std::vector<std::string> buffers(20, std::string(100, '.'));
  for (size_t i = 0; i < buffers.size(); ++i) {
    rx_.Offer({}, {BufferOf(buffers[i])});
    net_.OnQueue(kVirtioNetReceiveq);
    while (loop_.RunOnce() != 0) {
    }
    ASSERT_EQ(rx_.done().size(), i + 1);
    EXPECT_EQ(buffers[i][kHeader], static_cast<char>('a' + i));
  }
}

TEST_F(VirtioNetTest, WithoutBuffersAHostThatSendsDoesNotKeepTheThreadBusy) {
  ASSERT_TRUE(sockets_.Say(Framed(std::string(60, 'f')) + Framed(std::string(60, 'g'))));
  while (loop_.RunOnce() != 0) {
  }
  ASSERT_TRUE(sockets_.Say(Framed(std::string(60, 'h'))));
  EXPECT_EQ(loop_.RunOnce(), 0);
}

TEST_F(VirtioNetTest, ManyFramesInOneReadAllArrive) {
  std::vector<std::string> buffers(300, std::string(100, '.'));
  for (std::string& buffer : buffers) rx_.Offer({}, {BufferOf(buffer)});
  std::string sent;
  for (int i = 0; i < 300; ++i) sent += Framed(std::string(14, static_cast<char>(i)));
  ASSERT_TRUE(sockets_.Say(sent));
  ASSERT_TRUE(loop_.RunUntil([&] { return rx_.done().size() == 300; }));
  for (int i = 0; i < 300; ++i) ASSERT_EQ(buffers[i][kHeader], static_cast<char>(i));
}

TEST_F(VirtioNetTest, AFrameLargerThanTheBufferIsLostAndTheBufferKept) {
  std::string small(kHeader + 60, '.');
  rx_.Offer({}, {BufferOf(small)});
  ASSERT_TRUE(sockets_.Say(Framed(std::string(61, 'x')) + Framed(std::string(60, 'f'))));
  ASSERT_TRUE(loop_.RunUntil([&] { return !rx_.done().empty(); }));
  EXPECT_EQ(small.substr(kHeader), std::string(60, 'f'));
}

TEST_F(VirtioNetTest, ABufferWithoutRoomForAnyFrameDoesNotStopTheQueue) {
  std::string useless(kHeader, '.'), good(100, '.');
  rx_.Offer({}, {BufferOf(useless)});
  rx_.Offer({}, {BufferOf(good)});
  ASSERT_TRUE(sockets_.Say(Framed(std::string(60, 'x')) + Framed(std::string(60, 'f'))));
  ASSERT_TRUE(loop_.RunUntil([&] { return rx_.done().size() == 2; }));
  EXPECT_EQ(good[kHeader], 'f');
}

TEST_F(VirtioNetTest, WhileTheHostIsBusyTheGuestsFramesWaitInItsQueue) {
  std::string packet(kHeader + 60000, 'p');
  for (int i = 0; i < 100; ++i) tx_.Offer({BufferOf(packet)}, {});
  net_.OnQueue(kVirtioNetTransmitq);
  const size_t before = tx_.done().size();
  EXPECT_LT(before, 100u);
  size_t heard = 0;
  ASSERT_TRUE(loop_.RunUntil([&] {
    heard += sockets_.Heard().size();
    return heard == 100 * 60004;
  }));
  EXPECT_EQ(tx_.done().size(), 100u);
}

TEST_F(VirtioNetTest, ADrainedCardTouchesNothingUntilItIsResumed) {
  std::string buffer(100, '.'), packet(kHeader + 60, 'p');
  rx_.Offer({}, {BufferOf(buffer)});
  net_.Drain();
  ASSERT_TRUE(sockets_.Say(Framed(std::string(60, 'f'))));
  Send(packet);
  EXPECT_EQ(loop_.RunOnce(), 0);
  EXPECT_EQ(buffer, std::string(100, '.'));
  EXPECT_EQ(sockets_.Heard(), "");
  net_.Resume();
  EXPECT_EQ(sockets_.Heard().size(), 64u);
  EXPECT_EQ(buffer[kHeader], 'f');
}

TEST_F(VirtioNetTest, ALinkThatBreaksItsProtocolIsNotListenedToAnyMore) {
  std::string buffer(100, '.'), packet(kHeader + 60, 'p');
  rx_.Offer({}, {BufferOf(buffer)});
  ASSERT_TRUE(sockets_.Say(std::string(4, '\0') + Framed(std::string(60, 'f'))));
  while (loop_.RunOnce() != 0) {
  }
  EXPECT_TRUE(rx_.done().empty());
  Send(packet);
  EXPECT_TRUE(tx_.done().empty());
  EXPECT_FALSE(tx_.broken()) << "the guest did nothing wrong";
}

TEST_F(VirtioNetTest, AfterAResetTheCardWorksForTheNextDriver) {
  std::string lost(100, '.'), buffer(100, '.');
  rx_.Offer({}, {BufferOf(lost)});
  net_.Reset();
  FakeQueue rx, tx;
  PollLoop loop;
  const std::vector<Virtqueue*> queues = {&rx, &tx};
  ASSERT_TRUE(net_.Activate(net_.features(), queues, loop).ok());
  rx.Offer({}, {BufferOf(buffer)});
  ASSERT_TRUE(sockets_.Say(Framed(std::string(60, 'f'))));
  ASSERT_TRUE(loop.RunUntil([&] { return !rx.done().empty(); }));
  EXPECT_EQ(lost, std::string(100, '.'));
}

}  // namespace
}  // namespace vmm
