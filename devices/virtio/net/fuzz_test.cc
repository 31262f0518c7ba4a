// Neither the guest nor the network is trusted: pseudo-random packets and buffers from one, pseudo-random bytes from
// the other, a bounded amount and the same in each run. No byte outside the guest's buffers may change, no request may
// be given back twice, and a card with nothing to do must rest. FUZZ_STEPS in the environment sets another number of
// steps.
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "devices/virtio/abi/virtio_net_abi.h"
#include "devices/virtio/net/frame_stream.h"
#include "devices/virtio/net/virtio_net.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/hostile.h"
#include "devices/virtio/testing/poll_loop.h"
#include "devices/virtio/testing/socket_pair.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// A frame with its length, mostly a possible one.
std::string SomeFrame(Random& random) {
  const std::string frame = Noise(random, 300);
  const uint32_t length = random() % 60 == 0 ? static_cast<uint32_t>(random()) : static_cast<uint32_t>(frame.size());
  return StringOf(__builtin_bswap32(length)) + frame;
}

TEST(VirtioNetFuzzTest, ANetworkCardSurvivesItsGuestAndItsNetwork) {
  Random random(1);
  uint64_t sent = 0, received = 0;
  for (uint64_t step = 0; step < HostileSteps(3000); ++step) {
    SocketPair sockets;
    VirtioNet net({2, 0, 0, 0, 0, 1}, 0, std::make_unique<FrameStream>("passt", std::move(sockets.ours)));
    FakeQueue rx, tx;
    PollLoop loop;
    Buffers buffers;
    const std::vector<Virtqueue*> queues = {&rx, &tx};
    ASSERT_TRUE(net.Activate(net.features(), queues, loop).ok());
    for (int i = 0; i < 20; ++i) {
      switch (random() % 7) {
        case 0: tx.Offer(buffers.Make(random, 400), buffers.Make(random, 20)); break;
        case 1:
        case 2: rx.Offer(buffers.Make(random, 20), buffers.Make(random, 400)); break;
        case 3: sockets.Say(SomeFrame(random)); break;
        case 4: {
          const std::string frames = SomeFrame(random) + SomeFrame(random);
          sockets.Say(std::string_view(frames).substr(0, random() % (frames.size() + 1)));
          break;
        }
        case 5: random() % 2 == 0 ? net.Drain() : net.Resume(); break;
        case 6: sockets.Heard(random() % 1000); break;
      }
      net.OnQueue(static_cast<int>(random() % 2));
      ASSERT_TRUE(Rests(loop));
    }
    ASSERT_TRUE(buffers.GuardsStand());
    ASSERT_TRUE(NoneTwice(rx));
    ASSERT_TRUE(NoneTwice(tx));
    for (const FakeQueue::Done& done : rx.done()) received += done.written != 0 ? 1 : 0;
    sent += tx.done().size();
  }
  EXPECT_GT(sent, HostileSteps(3000) / 10);
  EXPECT_GT(received, HostileSteps(3000) / 10) << "most frames are refused: nothing is tried";
}

}  // namespace
}  // namespace vmm
