#include "vmm/run/dump_wishes.h"

#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<DumpWishes>> DumpWishes::Open() {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  std::unique_ptr<DumpWishes> wishes(new DumpWishes);
  if (const int error = pthread_sigmask(SIG_BLOCK, &mask, &wishes->old_mask_); error != 0) {
    return ErrnoStatus(error, "block SIGUSR1");
  }
  wishes->signal_.reset(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!wishes->signal_.valid()) return ErrnoStatus(errno, "signalfd for SIGUSR1");
  return wishes;
}

DumpWishes::~DumpWishes() {
  if (signal_.valid()) TakeSignal();
  if (sigismember(&old_mask_, SIGUSR1) == 1) return;
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
}

absl::Status DumpWishes::StartClock(absl::Duration interval) {
  clock_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  const timespec every = absl::ToTimespec(interval);
  const itimerspec times = {.it_interval = every, .it_value = every};
  if (!clock_.valid() || timerfd_settime(clock_.get(), 0, &times, nullptr) != 0) return ErrnoStatus(errno, "timerfd");
  return absl::OkStatus();
}

bool DumpWishes::TakeSignal() {
  signalfd_siginfo info = {};
  return read(signal_.get(), &info, sizeof(info)) == sizeof(info);
}

bool DumpWishes::TakeClock() {
  uint64_t times = 0;
  return read(clock_.get(), &times, sizeof(times)) == sizeof(times);
}

}  // namespace vmm
