// Messages, buffers and clients at random. VIRTIO_FUZZ_STEPS=10000000 in the environment makes it as long as you like.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <random>
#include <string>

#include "devices/unix_socket/unix_listener.h"
#include "devices/virtio/console/virtio_console.h"
#include "devices/virtio/testing/epoll_loop.h"
#include "devices/virtio/testing/fake_queue.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

int Steps(int normal) {
  const char* const steps = std::getenv("VIRTIO_FUZZ_STEPS");
  return steps == nullptr ? normal : std::atoi(steps);
}

TEST(VirtioConsoleFuzzTest, WhateverAGuestSendsItIsTakenAndNothingSpins) {
  const std::string path = "/tmp/port-fuzz-" + std::to_string(getpid());
  std::vector<VirtioConsole::NamedPort> ports;
  ports.push_back({"sock", *PortEnd::Open("unix:" + path)});
  ports.push_back({"null", *PortEnd::Open("/dev/null")});
  VirtioConsole device(std::move(ports), [](std::string_view) {});
  EpollLoop loop;
  std::vector<std::unique_ptr<FakeQueue>> queues;
  std::deque<std::string> buffers;
  const auto boot = [&] {
    device.Reset();
    queues.clear();
    buffers.clear();
    std::vector<Virtqueue*> pointers;
    for (size_t i = 0; i < device.queue_sizes().size(); ++i) {
      pointers.push_back(queues.emplace_back(std::make_unique<FakeQueue>()).get());
    }
    ASSERT_TRUE(device.Activate(kVirtioConsoleFMultiport, pointers, loop).ok());
  };
  boot();
  std::mt19937 random(1);
  const auto below = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  std::vector<UniqueFd> clients;
  const int steps = Steps(60'000);
  for (int i = 0; i < steps; ++i) {
    const uint32_t queue = below(static_cast<uint32_t>(queues.size()));
    std::string& buffer = buffers.emplace_back(below(4) == 0 ? below(9000) : below(20), 'b');
    const bool outward = queue % 2 == 1;
    if (queue == kConsoleControlTx) {
      const VirtioConsoleControl message = {below(8) == 0 ? static_cast<uint32_t>(random()) : below(4),
                                            static_cast<uint16_t>(below(9)), static_cast<uint16_t>(below(3))};
      buffer = std::string(reinterpret_cast<const char*>(&message), below(8) == 0 ? below(8) : sizeof message);
    }
    // Sometimes in the wrong direction.
    if (outward != (below(32) == 0)) {
      queues[queue]->Offer({{buffer.data(), buffer.size()}}, {});
    } else {
      queues[queue]->Offer({}, {{buffer.data(), buffer.size()}});
    }
    device.OnQueue(static_cast<int>(queue));

    switch (below(10)) {
      case 0:
        if (auto client = ConnectUnix(path); client.ok()) clients.push_back(*std::move(client));
        break;
      case 1:
        if (!clients.empty()) clients.erase(clients.begin() + below(static_cast<uint32_t>(clients.size())));
        break;
      case 2:
      case 3:
        if (!clients.empty()) {
          std::string bytes(below(5000), 'c');
          const UniqueFd& client = clients[below(static_cast<uint32_t>(clients.size()))];
          send(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
          recv(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        }
        break;
    }
    if (clients.size() > 20) clients.erase(clients.begin());
    int turns = 0;  // several if many clients came and went while another had the port
    while (turns < 50 && loop.RunUntilIdle() > 0) ++turns;
    ASSERT_LT(turns, 50) << "spins at step " << i;
    for (size_t q = 0; q < queues.size(); ++q) {
      const Virtqueue::Progress progress = queues[q]->progress();
      ASSERT_LE(progress.popped - progress.pushed, 1u) << "queue " << q << " at step " << i;
    }
    ASSERT_LE(device.InFlight().size(), 2u);
    if (i % 2000 == 1999) boot();
  }
}

}  // namespace
}  // namespace vmm
