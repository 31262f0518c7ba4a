#include "devices/virtio/vsock/virtio_vsock.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "devices/unix_socket/unix_listener.h"
#include "devices/virtio/vsock/testing/vsock_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class VirtioVsockTest : public testing::Test {
 protected:
  VirtioVsockTest()
      : path("/tmp/vsock-" + std::to_string(getpid())), device(*VirtioVsock::Create(path)), guest(*device) {}

  UniqueFd Connect(const std::string& line) {
    auto fd = ConnectUnix(path);
    EXPECT_TRUE(fd.ok()) << fd.status();
    if (!line.empty()) Write(*fd, line);
    return *std::move(fd);
  }
  static void Write(const UniqueFd& fd, const std::string& text) {
    EXPECT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // What is there to read. "EOF" at the end.
  static std::string Read(const UniqueFd& fd) {
    std::string text(1 << 20, 0);
    const ssize_t got = read(fd.get(), text.data(), text.size());
    if (got == 0) return "EOF";
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return text;
  }

  // A program connects to `port`, and the guest accepts. Returns the program's end; sets host_port.
  UniqueFd Open(uint32_t port) {
    UniqueFd program = Connect("CONNECT " + std::to_string(port) + "\n");
    const auto packets = guest.Take();
    EXPECT_EQ(packets.size(), 1u);
    if (packets.empty()) return program;
    EXPECT_EQ(packets[0].header.op, kVsockOpRequest);
    EXPECT_EQ(packets[0].header.dst_port, port);
    EXPECT_EQ(packets[0].header.src_cid, kVsockHostCid);
    EXPECT_EQ(packets[0].header.dst_cid, VirtioVsock::kGuestCid);
    host_port = packets[0].header.src_port;
    guest.Send(VsockGuest::Header(kVsockOpResponse, port, host_port));
    EXPECT_EQ(Read(program), "OK " + std::to_string(host_port) + "\n");
    return program;
  }

  const std::string path;
  std::unique_ptr<VirtioVsock> device;
  VsockGuest guest;
  uint32_t host_port = 0;
};

TEST_F(VirtioVsockTest, AProgramReachesAPortOfTheGuestAndBytesGoBothWays) {
  guest.Refill(16);
  const UniqueFd program = Open(1234);
  Write(program, "hello");
  auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpRw);
  EXPECT_EQ(packets[0].header.len, 5u);
  EXPECT_EQ(packets[0].header.src_port, host_port);
  EXPECT_EQ(packets[0].data, "hello");
  guest.Send(VsockGuest::Header(kVsockOpRw, 1234, host_port), "back");
  EXPECT_EQ(Read(program), "back");
  EXPECT_EQ(guest.tx->done().size(), 2u);
}

TEST_F(VirtioVsockTest, BytesAfterTheConnectLineAreTheGuests) {
  guest.Refill(16);
  const UniqueFd program = Connect("CONNECT 7\nGET /");
  const auto request = guest.Take();
  ASSERT_EQ(request.size(), 1u) << "no data before the guest accepted";
  guest.Send(VsockGuest::Header(kVsockOpResponse, 7, request[0].header.src_port));
  const auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].data, "GET /");
}

TEST_F(VirtioVsockTest, AConnectLineMayComeInPieces) {
  guest.Refill(16);
  const UniqueFd program = Connect("CONN");
  EXPECT_TRUE(guest.Take().empty());
  Write(program, "ECT 80");
  EXPECT_TRUE(guest.Take().empty());
  Write(program, "\n");
  EXPECT_EQ(guest.Take().size(), 1u);
}

TEST_F(VirtioVsockTest, WhoSaysSomethingElseIsHungUpOn) {
  guest.Refill(16);
  for (const std::string line : {"HELLO\n", "CONNECT\n", "CONNECT x\n", "CONNECT 1 2\n", "CONNECT 4294967296\n",
                                 "CONNECT -1\n", "CONNECT 000000000000000000000000000000000001\n"}) {
    const UniqueFd program = Connect(line);
    EXPECT_TRUE(guest.Take().empty()) << line;
    char byte;
    EXPECT_LE(read(program.get(), &byte, 1), 0) << line;
    EXPECT_NE(errno, EAGAIN) << line;
    errno = 0;
  }
  EXPECT_EQ(device->stream_count(), 0u);
}

TEST_F(VirtioVsockTest, AGuestReachesAProgramThatListensOnPathAndPort) {
  guest.Refill(16);
  auto listener = UnixListener::Listen(path + "_99");
  ASSERT_TRUE(listener.ok());
  guest.Send(VsockGuest::Header(kVsockOpRequest, 5000, 99));
  auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpResponse);
  EXPECT_EQ(packets[0].header.src_port, 99u);
  EXPECT_EQ(packets[0].header.dst_port, 5000u);
  EXPECT_EQ(packets[0].header.buf_alloc, VsockStream::kBufAlloc);
  const UniqueFd program = listener->Accept();
  ASSERT_TRUE(program.valid());
  guest.Send(VsockGuest::Header(kVsockOpRw, 5000, 99), "ping");
  EXPECT_EQ(Read(program), "ping");
  Write(program, "pong");
  packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].data, "pong");
}

TEST_F(VirtioVsockTest, NobodyListeningIsARefusal) {
  guest.Refill(16);
  guest.Send(VsockGuest::Header(kVsockOpRequest, 5000, 98));
  const auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpRst);
  EXPECT_EQ(packets[0].header.dst_port, 5000u);
  EXPECT_EQ(device->stream_count(), 0u);
}

TEST_F(VirtioVsockTest, AGuestThatRefusesEndsTheProgramsConnection) {
  guest.Refill(16);
  const UniqueFd program = Connect("CONNECT 1\n");
  const auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  guest.Send(VsockGuest::Header(kVsockOpRst, 1, packets[0].header.src_port));
  EXPECT_EQ(Read(program), "EOF");
}

TEST_F(VirtioVsockTest, DataWaitForTheGuestsCreditAndGoOnWithIt) {
  guest.Refill(16);
  const UniqueFd program = Open(1);
  VirtioVsockHdr update = VsockGuest::Header(kVsockOpCreditUpdate, 1, host_port);
  update.buf_alloc = 10;
  guest.Send(update);
  Write(program, "0123456789abcdef");
  auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].data, "0123456789");
  EXPECT_TRUE(guest.Take().empty());
  update.fwd_cnt = 4;
  guest.Send(update);
  packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].data, "abcd");
  update.fwd_cnt = 0x80000000;  // nonsense gives no credit
  guest.Send(update);
  EXPECT_TRUE(guest.Take().empty());
  update.fwd_cnt = 14;
  guest.Send(update);
  packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].data, "ef");
}

TEST_F(VirtioVsockTest, AFullReceiveQueueIsLookedAtAgainWhenTheGuestRefillsIt) {
  guest.Refill(2);
  const UniqueFd program = Open(1);
  const std::string text(20'000, 'x');
  Write(program, text);
  std::string got;
  for (const auto& packet : guest.Take()) got += packet.data;
  EXPECT_EQ(got.size(), VsockGuest::kBufferSize - sizeof(VirtioVsockHdr));
  EXPECT_EQ(guest.loop.RunUntilIdle(), 0) << "it does not spin meanwhile";
  while (got.size() < text.size()) {
    guest.Refill(1);
    const auto packets = guest.Take();
    ASSERT_FALSE(packets.empty());
    for (const auto& packet : packets) got += packet.data;
  }
  EXPECT_EQ(got, text);
}

TEST_F(VirtioVsockTest, ASlowProgramHoldsTheGuestBackAndLosesNothing) {
  guest.Refill(64);
  const UniqueFd program = Open(1);
  // Fills the socket's buffer, then ours, as far as the credit goes.
  const std::string part(4096, 'y');
  uint32_t sent = 0, fwd_cnt = 0;
  std::string got;
  for (int i = 0; i < 4096; ++i) {
    while (sent - fwd_cnt + part.size() > VsockStream::kBufAlloc) {
      VirtioVsockHdr request = VsockGuest::Header(kVsockOpCreditRequest, 1, host_port);
      guest.Send(request);
      auto packets = guest.Take();
      ASSERT_FALSE(packets.empty());
      if (packets.back().header.fwd_cnt == fwd_cnt) got += Read(program);
      fwd_cnt = packets.back().header.fwd_cnt;
      guest.Refill(static_cast<int>(packets.size()));
    }
    guest.Send(VsockGuest::Header(kVsockOpRw, 1, host_port), part);
    sent += static_cast<uint32_t>(part.size());
  }
  for (int i = 0; i < 100 && got.size() < sent; ++i) {
    got += Read(program);
    guest.Refill(static_cast<int>(guest.Take().size()));
  }
  EXPECT_EQ(got, std::string(4096 * 4096, 'y'));
}

TEST_F(VirtioVsockTest, CreditIsRenewedWithoutBeingAskedFor) {
  guest.Refill(16);
  const UniqueFd program = Open(1);
  guest.Take();
  guest.Send(VsockGuest::Header(kVsockOpRw, 1, host_port), std::string(VsockStream::kBufAlloc / 2, 'z'));
  Read(program);
  const auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpCreditUpdate);
  EXPECT_EQ(packets[0].header.fwd_cnt, VsockStream::kBufAlloc / 2);
}

TEST_F(VirtioVsockTest, AGuestThatExceedsItsCreditIsReset) {
  guest.Refill(16);
  const UniqueFd program = Open(1);
  guest.Send(VsockGuest::Header(kVsockOpRw, 1, host_port), std::string(VsockStream::kBufAlloc + 1, 'z'));
  const auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpRst);
  EXPECT_EQ(device->stream_count(), 0u);
}

TEST_F(VirtioVsockTest, EachSideMayEndItsDirectionAlone) {
  guest.Refill(16);
  const UniqueFd program = Open(1);
  Write(program, "last");
  shutdown(program.get(), SHUT_WR);
  auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0].data, "last");
  EXPECT_EQ(packets[1].header.op, kVsockOpShutdown);
  EXPECT_EQ(packets[1].header.flags, kVsockShutdownSend);
  guest.Send(VsockGuest::Header(kVsockOpRw, 1, host_port), "answer");
  VirtioVsockHdr end = VsockGuest::Header(kVsockOpShutdown, 1, host_port);
  end.flags = kVsockShutdownSend;
  guest.Send(end);
  EXPECT_EQ(Read(program), "answer");
  EXPECT_EQ(Read(program), "EOF");
}

TEST_F(VirtioVsockTest, AProgramThatEndsShutsBothDirections) {
  guest.Refill(16);
  UniqueFd program = Open(1);
  program.reset();
  auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpShutdown);
  EXPECT_EQ(packets[0].header.flags, kVsockShutdownBoth);
  guest.Send(VsockGuest::Header(kVsockOpRst, 1, host_port));
  EXPECT_EQ(device->stream_count(), 0u);
}

TEST_F(VirtioVsockTest, AGuestThatClosesGetsRstAndItsDataStillArrive) {
  guest.Refill(64);
  const UniqueFd program = Open(1);
  int small = 4096;
  setsockopt(program.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  std::string text;
  for (int i = 0; i < 30; ++i) {
    guest.Send(VsockGuest::Header(kVsockOpRw, 1, host_port), std::string(4096, static_cast<char>('a' + i % 26)));
    text += std::string(4096, static_cast<char>('a' + i % 26));
  }
  VirtioVsockHdr end = VsockGuest::Header(kVsockOpShutdown, 1, host_port);
  end.flags = kVsockShutdownBoth;
  guest.Send(end);
  const auto packets = guest.Take();
  ASSERT_FALSE(packets.empty());
  EXPECT_EQ(packets.back().header.op, kVsockOpRst);
  EXPECT_EQ(device->stream_count(), 0u);
  std::string got;
  for (int i = 0; i < 100; ++i) {
    const std::string part = Read(program);
    if (part == "EOF") break;
    got += part;
    guest.Take();
  }
  EXPECT_EQ(got, text);
}

TEST_F(VirtioVsockTest, AHundredStreamsAtOnceKeepTheirBytesApart) {
  guest.Refill(128);
  std::vector<UniqueFd> programs;
  for (int i = 0; i < 100; ++i) programs.push_back(Connect("CONNECT 1\n"));
  std::set<uint32_t> ports;
  for (const auto& packet : guest.Take()) {
    ports.insert(packet.header.src_port);
    guest.Send(VsockGuest::Header(kVsockOpResponse, 1, packet.header.src_port));
  }
  ASSERT_EQ(ports.size(), 100u);
  for (int round = 0; round < 3; ++round) {
    guest.Refill(100);
    for (const UniqueFd& program : programs) {
      if (round == 0) {
        EXPECT_EQ(Read(program).substr(0, 3), "OK ");
      }
      Write(program, std::to_string(program.get()) + " " + std::string(3000, 'q'));
    }
    const auto packets = guest.Take();
    ASSERT_EQ(packets.size(), 100u);
    for (const auto& packet : packets) {  // an echo
      guest.Send(VsockGuest::Header(kVsockOpRw, 1, packet.header.src_port), packet.data);
    }
    for (const UniqueFd& program : programs) {
      EXPECT_EQ(Read(program), std::to_string(program.get()) + " " + std::string(3000, 'q'));
    }
  }
}

TEST_F(VirtioVsockTest, StreamsAreLimitedAndTheRestWaitForAPlace) {
  guest.Refill(1000);
  std::vector<UniqueFd> programs;
  for (size_t i = 0; i < VirtioVsock::kMaxStreams + 5; ++i) programs.push_back(Connect("CONNECT 1\n"));
  auto packets = guest.Take();
  ASSERT_EQ(packets.size(), VirtioVsock::kMaxStreams);
  guest.Send(VsockGuest::Header(kVsockOpRequest, 5000, 99));
  EXPECT_EQ(guest.Take().at(0).header.op, kVsockOpRst) << "no place for the guest's either";
  for (int i = 0; i < 5; ++i) {
    guest.Send(VsockGuest::Header(kVsockOpRst, 1, packets[static_cast<size_t>(i)].header.src_port));
  }
  EXPECT_EQ(guest.Take().size(), 5u);
}

TEST_F(VirtioVsockTest, PacketsOfNoStreamGetRstAndNoMoreOfThemAreTakenThanAnswered) {
  for (uint32_t i = 0; i < 1000; ++i) guest.Send(VsockGuest::Header(kVsockOpRw, i, 1), "stray");
  EXPECT_EQ(guest.tx->done().size(), VirtioVsock::kMaxStrays);
  guest.Refill(1000);
  EXPECT_EQ(guest.tx->done().size(), 1000u);
  const auto packets = guest.Take();
  EXPECT_EQ(packets.size(), 1000u);
  for (const auto& packet : packets) EXPECT_EQ(packet.header.op, kVsockOpRst);
}

TEST_F(VirtioVsockTest, AForgedSenderIsIgnoredAndAnotherTypeRefused) {
  guest.Refill(16);
  VirtioVsockHdr header = VsockGuest::Header(kVsockOpRequest, 1, 99);
  header.src_cid = 4;
  guest.Send(header);
  EXPECT_TRUE(guest.Take().empty());
  header = VsockGuest::Header(kVsockOpRequest, 1, 99);
  header.type = 2;
  guest.Send(header);
  auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpRst);
  EXPECT_EQ(packets[0].header.type, 2);
  header = VsockGuest::Header(kVsockOpRst, 1, 99);
  guest.Send(header);
  EXPECT_TRUE(guest.Take().empty()) << "RST is never answered";
}

TEST_F(VirtioVsockTest, ALengthPastTheChainIsReset) {
  guest.Refill(16);
  const UniqueFd program = Open(1);
  VirtioVsockHdr header = VsockGuest::Header(kVsockOpRw, 1, host_port);
  header.len = 0xffffffff;
  guest.Send(header, "short");
  EXPECT_EQ(guest.Take().at(0).header.op, kVsockOpRst);
  EXPECT_EQ(Read(program), "");
}

TEST_F(VirtioVsockTest, QueuesWithoutRoomForAHeaderAreBroken) {
  guest.tx->Offer({}, {});
  device->OnQueue(1);
  EXPECT_TRUE(guest.tx->broken());
  guest.Refill(1, 43);
  EXPECT_FALSE(guest.rx->broken()) << "nothing to send yet";
  const UniqueFd program = Connect("CONNECT 1\n");
  guest.Take();
  EXPECT_TRUE(guest.rx->broken());
}

TEST_F(VirtioVsockTest, ARebootOfTheGuestEndsStreamsAndTheNextDriverServes) {
  guest.Refill(16);
  const UniqueFd program = Open(1);
  device->Reset();
  EXPECT_EQ(Read(program), "EOF");
  guest.Boot();
  guest.Refill(16);
  Open(2);
}

TEST_F(VirtioVsockTest, SilentCallersDoNotKeepTheirPlaces) {
  guest.Refill(16);
  std::vector<UniqueFd> silent;
  for (size_t i = 0; i < VirtioVsock::kMaxStreams; ++i) silent.push_back(Connect(""));
  const UniqueFd program = Connect("CONNECT 80\n");
  EXPECT_TRUE(guest.Take().empty()) << "there was no place";
  guest.loop.RunTimer();
  EXPECT_TRUE(guest.Take().empty()) << "they have a while";
  guest.loop.RunTimer();
  const auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.dst_port, 80u);
  EXPECT_EQ(Read(silent[0]), "EOF");
}

TEST_F(VirtioVsockTest, ACallToWhichTheGuestNeverAnswersEndsWithRst) {
  guest.Refill(16);
  const UniqueFd program = Connect("CONNECT 80\n");
  const auto request = guest.Take();
  ASSERT_EQ(request.size(), 1u);
  for (int step = 0; step < VirtioVsock::kStepsToAnswer; ++step) guest.loop.RunTimer();
  EXPECT_EQ(device->stream_count(), 1u);
  guest.loop.RunTimer();
  EXPECT_EQ(device->stream_count(), 0u);
  EXPECT_EQ(Read(program), "EOF");
  const auto packets = guest.Take();
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].header.op, kVsockOpRst);
  EXPECT_EQ(packets[0].header.src_port, request[0].header.src_port);
}

TEST_F(VirtioVsockTest, ACallOfWhichTheGuestNeverHeardIsForgotten) {
  const UniqueFd program = Connect("CONNECT 80\n");
  EXPECT_TRUE(guest.Take().empty()) << "the guest has given no buffer";
  for (int step = 0; step <= VirtioVsock::kStepsToAnswer; ++step) guest.loop.RunTimer();
  EXPECT_EQ(device->stream_count(), 0u);
  EXPECT_EQ(Read(program), "EOF");
  guest.Refill(16);
  EXPECT_TRUE(guest.Take().empty());
}

TEST_F(VirtioVsockTest, AnOpenStreamMayBeIdleForEver) {
  guest.Refill(16);
  const UniqueFd program = Open(80);
  for (int step = 0; step < 100; ++step) guest.loop.RunTimer();
  EXPECT_EQ(device->stream_count(), 1u);
}

TEST_F(VirtioVsockTest, WhatADyingGuestSentIsDeliveredAndItsRamLeftAlone) {
  guest.Refill(16);
  const UniqueFd program = Open(1);
  guest.Take();
  VirtioVsockHdr header = VsockGuest::Header(kVsockOpRw, 1, host_port);
  std::string data = "last words";
  header.len = static_cast<uint32_t>(data.size());
  guest.tx->Offer({{&header, sizeof header}, {data.data(), data.size()}}, {});
  Write(program, "too late");
  device->TakeLeftovers();
  EXPECT_EQ(Read(program), "last words");
  EXPECT_TRUE(guest.Take().empty());
}

TEST_F(VirtioVsockTest, TheCidIsThreeAndTheSocketFileGoesAtTheEnd) {
  uint64_t cid = 0;
  device->ReadConfig(0, WritableBytesOf(cid));
  EXPECT_EQ(cid, 3u);
  uint32_t high = 1;
  device->ReadConfig(4, WritableBytesOf(high));
  EXPECT_EQ(high, 0u);
  device->ReadConfig(~uint64_t{0}, WritableBytesOf(high));
  EXPECT_EQ(high, 0u);
  device.reset();
  struct stat st = {};
  EXPECT_NE(stat(path.c_str(), &st), 0);
}

TEST(VirtioVsockPath, APathWithoutRoomForAPortIsRefused) {
  const absl::Status status = VirtioVsock::Create("/tmp/" + std::string(92, 'x')).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("_PORT"), std::string::npos) << status;
}

}  // namespace
}  // namespace vmm
