// Packets at random, mostly of streams that exist, while programs of the host connect, talk and go.
// VIRTIO_FUZZ_STEPS=10000000 in the environment makes it as long as you like.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <string>

#include "devices/unix_socket/unix_listener.h"
#include "devices/virtio/vsock/testing/vsock_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

int Steps(int normal) {
  const char* const steps = std::getenv("VIRTIO_FUZZ_STEPS");
  return steps == nullptr ? normal : std::atoi(steps);
}

TEST(VirtioVsockFuzzTest, WhateverAGuestSendsItIsAnsweredWithinLimits) {
  const std::string path = "/tmp/vsock-fuzz-" + std::to_string(getpid());
  auto device = *VirtioVsock::Create(path);
  VsockGuest guest(*device);
  auto listener = *UnixListener::Listen(path + "_5");
  std::mt19937 random(1);
  const auto below = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  std::vector<UniqueFd> programs;
  std::vector<std::pair<uint32_t, uint32_t>> known = {{1, 5}};  // ports of streams that were once seen
  const int steps = Steps(60'000);
  for (int i = 0; i < steps; ++i) {
    const auto [guest_port, host_port] = known[below(static_cast<uint32_t>(known.size()))];
    VirtioVsockHdr header = VsockGuest::Header(static_cast<uint16_t>(below(9)), guest_port, host_port);
    if (below(4) == 0) header = VsockGuest::Header(kVsockOpRequest, below(20), 5);
    if (below(3) == 0) header.op = kVsockOpRw;
    header.flags = below(4);
    if (below(3) == 0) header.buf_alloc = below(2) == 0 ? random() : below(100);
    if (below(3) == 0) header.fwd_cnt = below(2) == 0 ? random() : below(1000);
    std::string data(below(3) == 0 ? below(20'000) : below(20), 'd');
    header.len = static_cast<uint32_t>(data.size());
    if (below(64) == 0) reinterpret_cast<uint8_t*>(&header)[below(sizeof header)] = static_cast<uint8_t>(random());
    guest.Send(header, data);
    ASSERT_FALSE(guest.tx->broken());

    switch (below(12)) {
      case 0: {
        auto program = ConnectUnix(path);
        if (!program.ok()) break;
        const std::string line = below(8) == 0 ? "CONNECT\n" : "CONNECT " + std::to_string(below(4)) + "\nhello";
        send(program->get(), line.data(), line.size(), MSG_NOSIGNAL);
        programs.push_back(*std::move(program));
        break;
      }
      case 1:
        if (UniqueFd program = listener.Accept(); program.valid()) programs.push_back(std::move(program));
        break;
      case 2:
        if (!programs.empty()) programs.erase(programs.begin() + below(static_cast<uint32_t>(programs.size())));
        break;
      case 3:
      case 4: {
        if (programs.empty()) break;
        const UniqueFd& program = programs[below(static_cast<uint32_t>(programs.size()))];
        std::string bytes(below(9000), 'p');
        if (below(2) == 0) send(program.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (below(2) == 0) recv(program.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (below(20) == 0) shutdown(program.get(), below(2) == 0 ? SHUT_WR : SHUT_RD);
        break;
      }
      case 5: guest.Refill(static_cast<int>(below(40)), 44 + below(5000)); break;
    }
    if (programs.size() > 60) programs.erase(programs.begin());
    for (const VsockPacket& packet : guest.Take()) {
      ASSERT_EQ(packet.header.len, packet.data.size());
      ASSERT_EQ(packet.header.dst_cid, VirtioVsock::kGuestCid);
      if (packet.header.op == kVsockOpRequest) {
        known.push_back({packet.header.dst_port, packet.header.src_port});
        if (known.size() > 40) known.erase(known.begin() + 1);
      }
    }
    ASSERT_LE(guest.loop.RunUntilIdle(), 64) << "spins at step " << i;
    ASSERT_LE(device->stream_count(), VirtioVsock::kMaxStreams);
    if (i % 5000 == 4999) {
      device->Reset();
      guest.Boot();
    }
  }
  // It still works.
  device->Reset();
  guest.Boot();
  programs.clear();
  guest.Refill(300);
  guest.Take();
  auto program = ConnectUnix(path);
  ASSERT_TRUE(program.ok()) << program.status();
  send(program->get(), "CONNECT 77\n", 11, MSG_NOSIGNAL);
  ASSERT_FALSE(guest.Take().empty());
}

}  // namespace
}  // namespace vmm
