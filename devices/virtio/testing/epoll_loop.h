// An IoLoop that the test turns by hand.
#ifndef DEVICES_VIRTIO_TESTING_EPOLL_LOOP_H_
#define DEVICES_VIRTIO_TESTING_EPOLL_LOOP_H_

#include <sys/epoll.h>

#include <array>
#include <functional>
#include <map>
#include <utility>

#include "base/unique_fd.h"
#include "devices/virtio/io_loop.h"

namespace vmm {

// Used by one thread.
class EpollLoop final : public IoLoop {
 public:
  void Watch(int fd, uint32_t events, std::function<void(uint32_t)> ready) override {
    epoll_event event = {.events = events, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    ready_[fd] = std::move(ready);
  }
  void Unwatch(int fd) override {
    if (ready_.erase(fd) != 0) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  }
  void After(absl::Duration, std::function<void()> run) override { timer_ = std::move(run); }

  // Serves what is ready now, and what that makes ready, up to 100 rounds. Returns how many events there were; many
  // more than the test caused mean that the device spins.
  int RunUntilIdle() {
    int served = 0;
    for (int round = 0; round < 100; ++round) {
      std::array<epoll_event, 64> events;
      const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
      if (count <= 0) break;
      for (int i = 0; i < count; ++i) {
        const auto found = ready_.find(events[static_cast<size_t>(i)].data.fd);
        if (found == ready_.end()) continue;
        const auto ready = found->second;  // it may unwatch itself
        ready(events[static_cast<size_t>(i)].events);
        ++served;
      }
    }
    return served;
  }

  // Runs what After() asked for, whatever the time.
  void RunTimer() {
    if (timer_) std::exchange(timer_, nullptr)();
  }

 private:
  const UniqueFd epoll_{epoll_create1(EPOLL_CLOEXEC)};
  std::map<int, std::function<void(uint32_t)>> ready_;
  std::function<void()> timer_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_TESTING_EPOLL_LOOP_H_
