#include "vmm/console/terminal_size.h"

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<TerminalSize>> TerminalSize::Watch(int terminal) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGWINCH);
  std::unique_ptr<TerminalSize> size(new TerminalSize(terminal));
  if (const int error = pthread_sigmask(SIG_BLOCK, &mask, &size->old_mask_); error != 0) {
    return ErrnoStatus(error, "block SIGWINCH");
  }
  size->fd_.reset(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!size->fd_.valid()) return ErrnoStatus(errno, "signalfd");
  return size;
}

TerminalSize::~TerminalSize() { pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr); }

TerminalSize::Cells TerminalSize::Read() {
  signalfd_siginfo info = {};
  [[maybe_unused]] const ssize_t got = read(fd_.get(), &info, sizeof info);
  winsize size = {};
  if (ioctl(terminal_, TIOCGWINSZ, &size) != 0) return {};
  return {.rows = size.ws_row, .columns = size.ws_col};
}

}  // namespace vmm
