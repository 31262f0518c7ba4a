// Neither the guest nor the 9P server is trusted: pseudo-random messages from both, a bounded amount and the same in
// each run. No byte outside the guest's buffers may change, no request may be given back twice, and a device with
// nothing to do must rest. FUZZ_STEPS in the environment sets another number of steps.
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "devices/virtio/abi/virtio_9p_abi.h"
#include "devices/virtio/p9/virtio_9p.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/hostile.h"
#include "devices/virtio/testing/poll_loop.h"
#include "devices/virtio/testing/socket_pair.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string SomeMessage(Random& random) {
  const std::string body = Noise(random, 60);
  NinePHeader header = {static_cast<uint32_t>(sizeof(NinePHeader) + body.size()),
                        static_cast<uint8_t>(100 + random() % 8), static_cast<uint16_t>(random() % 4)};
  if (random() % 40 == 0) header.size = static_cast<uint32_t>(random());
  if (random() % 40 == 0) header.size += random() % 3 - 1;
  return StringOf(header) + body;
}

TEST(Virtio9pFuzzTest, ANinePBridgeSurvivesItsGuestAndItsServer) {
  Random random(2);
  uint64_t answered = 0;
  for (uint64_t step = 0; step < HostileSteps(3000); ++step) {
    SocketPair sockets;
    Virtio9p device("share", {"/srv", 0}, std::move(sockets.ours));
    Buffers buffers;
    // Two drivers, one after the other.
    for (int driver = 0; driver < 2; ++driver) {
      FakeQueue queue;
      PollLoop loop;
      const std::vector<Virtqueue*> queues = {&queue};
      ASSERT_TRUE(device.Activate(device.features(), queues, loop).ok());
      for (int i = 0; i < 10; ++i) {
        switch (random() % 4) {
          case 0:
          case 1: {
            const std::string message = SomeMessage(random);
            std::vector<iovec> readable = buffers.Make(random, 2 * message.size());
            Fill(readable, message);
            queue.Offer(readable, buffers.Make(random, 100));
            break;
          }
          case 2: {
            const std::string message = SomeMessage(random);
            const bool whole = random() % 4 != 0;
            sockets.Say(std::string_view(message).substr(0, whole ? message.size() : random() % message.size()));
            break;
          }
          case 3: random() % 2 == 0 ? device.Drain() : device.Resume(); break;
        }
        device.OnQueue(0);
        ASSERT_TRUE(Rests(loop));
        sockets.Heard(4096);
      }
      ASSERT_TRUE(buffers.GuardsStand());
      ASSERT_TRUE(NoneTwice(queue));
      answered += queue.done().size();
      device.Reset();
    }
  }
  EXPECT_GT(answered, HostileSteps(3000) / 10) << "most messages are refused: nothing is tried";
}

}  // namespace
}  // namespace vmm
