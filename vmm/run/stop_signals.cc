#include "vmm/run/stop_signals.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/status.h"

namespace vmm {
namespace {

constexpr std::array<int, 3> kIgnored = {SIGPIPE, SIGTTIN, SIGXFSZ};

}  // namespace

absl::StatusOr<std::unique_ptr<StopSignals>> StopSignals::Block() {
  sigset_t mask;
  sigemptyset(&mask);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&mask, signal);

  std::unique_ptr<StopSignals> signals(new StopSignals);
  if (const int error = pthread_sigmask(SIG_BLOCK, &mask, &signals->old_mask_); error != 0) {
    return ErrnoStatus(error, "block signals");
  }
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  for (size_t i = 0; i < kIgnored.size(); ++i) sigaction(kIgnored[i], &ignore, &signals->old_actions_[i]);
  signals->fd_.reset(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals->fd_.valid()) return ErrnoStatus(errno, "signalfd");
  return signals;
}

absl::StatusOr<std::unique_ptr<StopSignals>> StopSignals::FromEvent(int event_fd) {
  std::unique_ptr<StopSignals> signals(new StopSignals);
  signals->is_event_ = true;
  signals->fd_.reset(fcntl(event_fd, F_DUPFD_CLOEXEC, 0));
  if (!signals->fd_.valid()) return ErrnoStatus(errno, "the descriptor that cancels the run");
  return signals;
}

// A signal that came when nobody listened any more, while a dump was written, must not end the process as soon as it
// is let in: the outcome is not told yet.
StopSignals::~StopSignals() {
  if (is_event_) return;
  while (fd_.valid() && Take() != 0) continue;
  for (size_t i = 0; i < kIgnored.size(); ++i) sigaction(kIgnored[i], &old_actions_[i], nullptr);
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

int StopSignals::Take() {
  if (is_event_) {
    uint64_t one = 0;
    return read(fd_.get(), &one, sizeof(one)) == sizeof(one) ? SIGTERM : 0;
  }
  signalfd_siginfo info = {};
  const ssize_t got = read(fd_.get(), &info, sizeof(info));
  return got == sizeof(info) ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace vmm
