// Guests that nobody trusts: buffers cut anywhere, bytes without sense, and the questions that every such test asks.
#ifndef DEVICES_VIRTIO_TESTING_HOSTILE_H_
#define DEVICES_VIRTIO_TESTING_HOSTILE_H_

#include <sys/uio.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/poll_loop.h"

namespace vmm {

using Random = std::mt19937_64;

// FUZZ_STEPS in the environment sets another number of steps.
inline uint64_t HostileSteps(uint64_t by_default) {
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
inline void Fill(const std::vector<iovec>& buffers, const std::string& bytes) {
  size_t at = 0;
  for (const iovec& buffer : buffers) {
    const size_t size = std::min(buffer.iov_len, bytes.size() - at);
    std::memcpy(buffer.iov_base, bytes.data() + at, size);
    at += size;
  }
}

// Up to `most` bytes.
inline std::string Noise(Random& random, size_t most) {
  std::string bytes(random() % (most + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// True if no request was given back a second time.
inline bool NoneTwice(const FakeQueue& queue) {
  std::set<uint16_t> seen;
  for (const FakeQueue::Done& done : queue.done()) {
    if (!seen.insert(done.chain).second) return false;
  }
  return true;
}

// Serves what is there. False: the device never rests.
inline bool Rests(PollLoop& loop) {
  for (int i = 0; i < 10000; ++i) {
    if (loop.RunOnce() == 0) return true;
  }
  return false;
}

}  // namespace vmm

#endif  // DEVICES_VIRTIO_TESTING_HOSTILE_H_
