#include "vmm/run/event_loop.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/time/clock.h"

namespace vmm {
namespace {

// A time-out for poll(2), rounded up so that it is not called again just before the deadline.
int PollTimeout(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return -1;
  const int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(deadline - absl::Now(), absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(ms, 0, 3'600'000));
}

}  // namespace

RunEnd EventLoop::Wait(absl::Time deadline, absl::Duration grace) {
  std::optional<absl::Time> grace_end;
  while (true) {
    const absl::Time next_check = check_ ? check_() : absl::InfiniteFuture();
    const std::optional<PanicEvent> panic = events_.panic();
    absl::Time wake = deadline;
    if (panic.has_value() && !panic->crash_loaded) {
      if (!grace_end.has_value()) grace_end = absl::Now() + grace;
      const bool over = events_.a_vcpu_stopped() || events_.request().has_value() || absl::Now() >= *grace_end;
      if (over) return RunEnd::kPanic;
      wake = *grace_end;
    } else {
      grace_end.reset();  // what the console said was the beginning of a hand-over
      if (events_.request().has_value()) return RunEnd::kRequest;
      if (!events_.host_failure().ok()) return RunEnd::kHostFailure;
      if (absl::Now() >= deadline) return RunEnd::kTimeout;
      // The crash kernel is not the one that was to be watched: it feeds no watchdog, and need not look alive.
      if (!panic.has_value() && !paused_) {
        if (absl::Now() >= WatchdogDeadline()) return RunEnd::kWatchdog;
        if (Hangs()) return RunEnd::kHang;
        wake = std::min({deadline, next_look_, WatchdogDeadline()});
      }
    }
    wake = std::min(wake, next_check);
    const std::optional<RunEnd> user = Poll(wake, grace_end.has_value() ? Stops::kLeave : stops_);
    // Once the guest is dead, a signal cannot make it more so: the panic is still reported.
    if (user.has_value()) return grace_end.has_value() ? RunEnd::kPanic : *user;
  }
}

void EventLoop::SetHangWatch(absl::Duration interval, std::function<bool()> hangs) {
  look_interval_ = interval;
  next_look_ = absl::Now() + interval;
  hangs_ = std::move(hangs);
}

void EventLoop::AddService(int fd, std::function<void()> serve) { services_.push_back({fd, std::move(serve)}); }

void EventLoop::SetPaused(bool paused) {
  paused_ = paused;
  if (hangs_) next_look_ = absl::Now() + look_interval_;
}

bool EventLoop::Hangs() {
  const absl::Time now = absl::Now();
  if (now < next_look_) return false;
  next_look_ = now + look_interval_;
  return hangs_();
}

RunEnd EventLoop::WaitForAnswer(absl::Duration silence, const std::function<uint64_t()>& said, absl::Time deadline,
                                absl::Duration grace) {
  SetHangWatch(absl::InfiniteDuration(), nullptr);
  SetWatchdog(nullptr);
  stops_ = Stops::kLeave;
  RunEnd end;
  uint64_t before;
  do {
    before = said();
    end = Wait(std::min(absl::Now() + silence, deadline), grace);
  } while (end == RunEnd::kTimeout && said() != before && absl::Now() < deadline);
  stops_ = Stops::kTake;
  return end;
}

RunEnd EventLoop::WaitForUser() {
  while (true) {
    if (const std::optional<RunEnd> user = Poll(absl::InfiniteFuture(), Stops::kTake); user.has_value()) return *user;
  }
}

std::optional<RunEnd> EventLoop::Poll(absl::Time deadline, Stops stops) {
  if (user_quit_) return RunEnd::kUserQuit;
  const int input = input_.full() || input_ended_ ? -1 : source_.fd();
  std::vector<pollfd> fds{{events_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}, {input, POLLIN, 0}};
  const size_t first_service = fds.size();
  for (const Service& service : services_) fds.push_back({service.fd, POLLIN, 0});
  if (poll(fds.data(), fds.size(), PollTimeout(deadline)) < 0) return std::nullopt;  // EINTR: look again
  if (fds[0].revents != 0) {
    events_.Acknowledge();
    input_.Flush();
  }
  if (fds[1].revents != 0) {
    if (stops == Stops::kLeave) return RunEnd::kSignal;
    signal_ = signals_.Take();
    if (signal_ != 0) return RunEnd::kSignal;
  }
  if (fds[2].revents != 0) user_quit_ = ReadInput();
  for (size_t i = 0; i < services_.size(); ++i) {
    if (fds[first_service + i].revents != 0) services_[i].serve();
  }
  return user_quit_ ? std::optional(RunEnd::kUserQuit) : std::nullopt;
}

bool EventLoop::ReadInput() {
  std::array<uint8_t, 4096> buffer;
  const ssize_t got = source_.ReadSome(buffer);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  if (got <= 0) {
    input_ended_ = true;  // the guest runs on without a keyboard
    if (on_input_end_) on_input_end_();
    return false;
  }
  return input_.Take(std::span<const uint8_t>(buffer.data(), static_cast<size_t>(got)));
}

}  // namespace vmm
