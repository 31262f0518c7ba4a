// Neither a guest nor a process at the other end of a socket is trusted. These tests are both: pseudo-random requests
// and pseudo-random bytes from the back end, a bounded amount and the same in each run. No byte outside the guest's
// buffers may change, no request may be given back twice, and a device that rests must rest. FUZZ_STEPS in the
// environment sets another number of steps.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "devices/virtio/abi/virtio_9p_abi.h"
#include "devices/virtio/abi/virtio_net_abi.h"
#include "devices/virtio/frame_stream.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/poll_loop.h"
#include "devices/virtio/testing/scripted_back_end.h"
#include "devices/virtio/testing/socket_pair.h"
#include "devices/virtio/vhost_user.h"
#include "devices/virtio/virtio_9p.h"
#include "devices/virtio/virtio_net.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using Random = std::mt19937_64;

uint64_t Steps(uint64_t by_default) {
  const char* const wanted = std::getenv("FUZZ_STEPS");
  return wanted == nullptr ? by_default : std::strtoull(wanted, nullptr, 10);
}

// Buffers of a guest in the middle of bytes that nobody may touch.
class Buffers {
 public:
  // A few buffers of together at most `most` bytes, cut anywhere.
  std::vector<iovec> Make(Random& random, size_t most) {
    std::vector<iovec> buffers;
    size_t left = random() % (most + 1);
    for (int i = 0; i < 6 && left != 0; ++i) {
      const size_t size = i == 5 ? left : random() % (left + 1);
      bytes_.push_back(std::make_unique<std::string>(kGuard + std::string(size, 'g') + kGuard));
      buffers.push_back({bytes_.back()->data() + kGuard.size(), size});
      left -= size;
    }
    return buffers;
  }

  bool GuardsStand() const {
    for (const auto& bytes : bytes_) {
      if (!bytes->starts_with(kGuard) || !bytes->ends_with(kGuard)) return false;
    }
    return true;
  }

 private:
  const std::string kGuard = std::string(16, '\xa5');
  std::vector<std::unique_ptr<std::string>> bytes_;
};

// Puts `bytes` into the buffers, as far as they fit.
void Fill(const std::vector<iovec>& buffers, const std::string& bytes) {
  size_t at = 0;
  for (const iovec& buffer : buffers) {
    const size_t size = std::min(buffer.iov_len, bytes.size() - at);
    std::memcpy(buffer.iov_base, bytes.data() + at, size);
    at += size;
  }
}

std::string Noise(Random& random, size_t most) {
  std::string bytes(random() % (most + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

bool NoneTwice(const FakeQueue& queue) {
  std::set<uint16_t> seen;
  for (const FakeQueue::Done& done : queue.done()) {
    if (!seen.insert(done.chain).second) return false;
  }
  return true;
}

// Serves what is there. False: the device never rests.
bool Rests(PollLoop& loop) {
  for (int i = 0; i < 10000; ++i) {
    if (loop.RunOnce() == 0) return true;
  }
  return false;
}

// A frame with its length, mostly a possible one.
std::string SomeFrame(Random& random) {
  const std::string frame = Noise(random, 300);
  const uint32_t length = random() % 60 == 0 ? static_cast<uint32_t>(random()) : static_cast<uint32_t>(frame.size());
  return StringOf(__builtin_bswap32(length)) + frame;
}

TEST(BackEndFuzzTest, ANetworkCardSurvivesItsGuestAndItsNetwork) {
  Random random(1);
  uint64_t sent = 0, received = 0;
  for (uint64_t step = 0; step < Steps(3000); ++step) {
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
  EXPECT_GT(sent, Steps(3000) / 10);
  EXPECT_GT(received, Steps(3000) / 10) << "most frames are refused: nothing is tried";
}

std::string SomeMessage(Random& random) {
  const std::string body = Noise(random, 60);
  NinePHeader header = {static_cast<uint32_t>(sizeof(NinePHeader) + body.size()), static_cast<uint8_t>(random()),
                        static_cast<uint16_t>(random() % 4)};
  if (random() % 40 == 0) header.size = static_cast<uint32_t>(random());
  if (random() % 40 == 0) header.size += random() % 3 - 1;
  return StringOf(header) + body;
}

TEST(BackEndFuzzTest, ANinePBridgeSurvivesItsGuestAndItsServer) {
  Random random(2);
  uint64_t answered = 0;
  for (uint64_t step = 0; step < Steps(3000); ++step) {
    SocketPair sockets;
    Virtio9p device("share", std::move(sockets.ours));
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
        sockets.Heard();
      }
      ASSERT_TRUE(buffers.GuardsStand());
      ASSERT_TRUE(NoneTwice(queue));
      answered += queue.done().size();
      device.Reset();
    }
  }
  EXPECT_GT(answered, Steps(3000) / 10) << "most messages are refused: nothing is tried";
}

TEST(BackEndFuzzTest, AVhostUserBackEndMaySayAnything) {
  Random random(3);
  const std::vector<GuestRange> ranges = {{GuestAddr{0}, 0x10000}};
  const auto memory = GuestMemory::Create(ranges);
  ASSERT_TRUE(memory.ok());
  uint64_t connected = 0;
  const uint64_t steps = Steps(300);
  for (uint64_t step = 0; step < steps; ++step) {
    const uint64_t seed = random();
    auto dice = std::make_shared<Random>(seed);
    ScriptedBackEnd back_end([dice](const ScriptedBackEnd::Message& message) -> std::optional<std::string> {
      Random& roll = *dice;
      if (roll() % 6 != 0) return std::nullopt;
      std::string answer = ScriptedBackEnd::LikeVirtiofsd(message);
      if (answer.empty()) return std::nullopt;
      switch (roll() % 3) {
        case 0: answer[roll() % answer.size()] ^= static_cast<char>(1 << roll() % 8); break;
        case 1: answer += std::string(1 + roll() % 30, static_cast<char>(roll())); break;
        case 2: answer.resize(1 + roll() % answer.size()); break;
      }
      return answer;
    });
    const absl::Time start = absl::Now();
    auto link = VhostUser::Connect("virtiofsd", back_end.TakeSocket(), 2,
                                   {.start = absl::Milliseconds(20), .message = absl::Milliseconds(20)});
    if (link.ok()) {
      ++connected;
      FakeQueue queue;
      (void)(*link)->SetUp(UINT64_MAX, **memory);
      (void)(*link)->StopQueue(1);
      (void)(*link)->StopQueue(0);
    }
    ASSERT_LT(absl::Now() - start, absl::Seconds(5));
  }
  EXPECT_GT(connected, steps / 20);
  EXPECT_LT(connected, steps);
}

}  // namespace
}  // namespace vmm
