// An IoLoop that a test turns by hand.
//
//   PollLoop loop;
//   device.Activate(features, queues, loop);
//   loop.RunUntil([&] { return queue.done().size() == 1; });
#ifndef DEVICES_VIRTIO_TESTING_POLL_LOOP_H_
#define DEVICES_VIRTIO_TESTING_POLL_LOOP_H_

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "devices/virtio/io_loop.h"

namespace vmm {

// Used by one thread.
class PollLoop final : public IoLoop {
 public:
  // EPOLLIN, EPOLLOUT, EPOLLERR and EPOLLHUP have the values of poll(2).
  void Watch(int fd, uint32_t events, std::function<void(uint32_t)> ready) override {
    watched_[fd] = {static_cast<short>(events), std::move(ready)};
  }
  void Unwatch(int fd) override { watched_.erase(fd); }
  void After(absl::Duration delay, std::function<void()> run) override {
    at_ = absl::Now() + delay;
    run_ = std::move(run);
  }

  // Serves what is ready now. Returns how many callbacks ran.
  int RunOnce(int milliseconds = 0) {
    int ran = 0;
    if (run_ && absl::Now() >= at_) {
      std::exchange(run_, nullptr)();
      ++ran;
    }
    std::vector<pollfd> fds;
    for (const auto& [fd, watch] : watched_) fds.push_back({fd, watch.first, 0});
    if (poll(fds.data(), fds.size(), ran != 0 ? 0 : milliseconds) <= 0) return ran;
    for (const pollfd& fd : fds) {
      const auto found = watched_.find(fd.fd);
      if (fd.revents == 0 || found == watched_.end()) continue;
      const std::function<void(uint32_t)> ready = found->second.second;
      ready(static_cast<uint32_t>(fd.revents));
      ++ran;
    }
    return ran;
  }

  // Serves until `done()`, at most for five seconds. False: it is not done.
  bool RunUntil(const std::function<bool()>& done) {
    const absl::Time end = absl::Now() + absl::Seconds(5);
    while (!done()) {
      if (absl::Now() >= end) return false;
      RunOnce(10);
    }
    return true;
  }

 private:
  std::map<int, std::pair<short, std::function<void(uint32_t)>>> watched_;
  absl::Time at_;
  std::function<void()> run_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_TESTING_POLL_LOOP_H_
