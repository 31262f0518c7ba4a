#include "devices/virtio/device_thread.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"

namespace vmm {

DeviceThread::DeviceThread(WorkerThread& worker, VirtioDevice& device, uint64_t features, std::vector<Ring*> rings,
                           Events events)
    : worker_(worker), device_(device), features_(features), rings_(std::move(rings)), events_(std::move(events)) {
  look_again_.resize(rings_.size());
  worker_.Start([this] { Run(); });
}

DeviceThread::~DeviceThread() {
  Give(Order::kEnd);
  worker_.Wait();
}

void DeviceThread::Give(Order order) {
  const std::lock_guard lock(mutex_);
  order_ = order;
  worker_.wake().Signal();
  changed_.notify_all();
}

bool DeviceThread::Pause(absl::Duration patience, bool leftovers) {
  {
    const std::lock_guard lock(mutex_);
    leftovers_ = leftovers;
  }
  Give(Order::kPause);
  std::unique_lock lock(mutex_);
  const auto parked = [this] { return parked_; };
  if (patience == absl::InfiniteDuration()) {
    changed_.wait(lock, parked);
    return true;
  }
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(patience), parked);
}

void DeviceThread::Resume() { Give(Order::kRun); }

bool DeviceThread::FollowOrders() {
  std::unique_lock lock(mutex_);
  while (order_ == Order::kPause) {
    const bool leftovers = std::exchange(leftovers_, false);
    lock.unlock();
    if (active_ && leftovers) device_.TakeLeftovers();
    if (active_) device_.Drain();
    lock.lock();
    parked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return order_ != Order::kPause; });
    parked_ = false;
    if (order_ == Order::kEnd) break;
    lock.unlock();
    if (active_) device_.Resume();
    lock.lock();
  }
  return order_ != Order::kEnd;
}

void DeviceThread::Run() {
  Watch(worker_.wake().fd(), EPOLLIN, [this](uint32_t) { worker_.wake().Clear(); });
  Activate();
  while (FollowOrders()) WaitOnce();
  // For the next driver.
  worker_.wake().Clear();
  while (!watched_.empty()) Unwatch(watched_.begin()->first);
}

void DeviceThread::Activate() {
  const std::vector<Virtqueue*> queues(rings_.begin(), rings_.end());
  if (const absl::Status status = device_.Activate(features_, queues, *this); !status.ok()) {
    events_.on_failed(status);
    return;
  }
  active_ = true;
  if (events_.interrupt >= 0) {
    Watch(events_.interrupt, EPOLLIN, [this](uint32_t) { events_.on_interrupt_fd(); });
  }
  for (size_t i = 0; i < rings_.size(); ++i) WatchRing(static_cast<int>(i));
}

// A driver may have notified before the thread was there, so each ring is looked at once without being asked.
void DeviceThread::WatchRing(int index) {
  const size_t i = static_cast<size_t>(index);
  if (rings_[i] == nullptr || device_.is_external()) return;
  look_again_[i] = true;
  const int kick = rings_[i]->kick_fd();
  Watch(kick, EPOLLIN, [this, i, kick](uint32_t) {
    uint64_t signals;
    [[maybe_unused]] const ssize_t got = read(kick, &signals, sizeof(signals));
    look_again_[i] = true;
  });
}

void DeviceThread::SetRing(int index, Ring* ring) {
  const size_t i = static_cast<size_t>(index);
  if (rings_[i] != nullptr) Unwatch(rings_[i]->kick_fd());
  rings_[i] = ring;
  look_again_[i] = false;
  if (active_ && ring != nullptr) WatchRing(index);
}

int DeviceThread::WaitMilliseconds() const {
  if (std::ranges::find(look_again_, true) != look_again_.end()) return 0;
  if (!timer_at_.has_value()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*timer_at_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 3'600'000));
}

void DeviceThread::WaitOnce() {
  std::array<epoll_event, 16> events;
  const int count = epoll_wait(worker_.epoll_fd(), events.data(), static_cast<int>(events.size()), WaitMilliseconds());
  for (Ring* ring : rings_) {
    if (ring != nullptr) ring->RenewShare();
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    const auto found = watched_.find(static_cast<int>(event.data.u64 & 0xffffffff));
    if (found == watched_.end() || found->second.serial != event.data.u64 >> 32) continue;
    const auto ready = found->second.ready;  // stays alive if it unwatches itself
    (*ready)(event.events);
  }
  RunTimer();
  ServeRings();
}

void DeviceThread::ServeRings() {
  for (size_t i = 0; i < rings_.size(); ++i) {
    if (rings_[i] == nullptr) continue;
    if (look_again_[i]) {
      look_again_[i] = false;
      device_.OnQueue(static_cast<int>(i));
    }
  }
  for (size_t i = 0; i < rings_.size(); ++i) {
    if (rings_[i] == nullptr || !rings_[i]->ended_early()) continue;
    rings_[i]->ClearEndedEarly();
    look_again_[i] = true;
  }
}

void DeviceThread::RunTimer() {
  if (!timer_at_.has_value() || std::chrono::steady_clock::now() < *timer_at_) return;
  timer_at_.reset();
  std::exchange(timer_, nullptr)();
}

void DeviceThread::Watch(int fd, uint32_t events, std::function<void(uint32_t)> ready) {
  const uint32_t serial = ++next_serial_;
  epoll_event event{};
  event.events = events;
  event.data.u64 = uint64_t{serial} << 32 | static_cast<uint32_t>(fd);
  const bool known = watched_.contains(fd);
  int result = epoll_ctl(worker_.epoll_fd(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  // A descriptor that was closed while it was watched left epoll by itself.
  if (result != 0 && known && errno == ENOENT) result = epoll_ctl(worker_.epoll_fd(), EPOLL_CTL_ADD, fd, &event);
  if (result != 0) {
    LogWarning(ErrnoStatus(errno, absl::StrFormat("%s: watch descriptor %d", device_.name(), fd)).ToString());
    return;
  }
  watched_[fd] = {serial, std::make_shared<std::function<void(uint32_t)>>(std::move(ready))};
}

void DeviceThread::Unwatch(int fd) {
  if (watched_.erase(fd) != 0) epoll_ctl(worker_.epoll_fd(), EPOLL_CTL_DEL, fd, nullptr);
}

void DeviceThread::After(absl::Duration delay, std::function<void()> run) {
  timer_at_ = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(std::min(delay, absl::Hours(24)));
  timer_ = std::move(run);
}

}  // namespace vmm
