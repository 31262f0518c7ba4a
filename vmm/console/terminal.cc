#include "vmm/console/terminal.h"

#include <unistd.h>

#include <csignal>

namespace vmm {
namespace {

// The signal handler can reach only globals, so its data is here and nowhere else.
termios saved_mode;
volatile sig_atomic_t raw_fd = -1;

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

void RestoreAndDie(int signal) {
  if (raw_fd >= 0) tcsetattr(raw_fd, TCSANOW, &saved_mode);  // async-signal-safe by POSIX
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

std::unique_ptr<RawTerminal> RawTerminal::Enter(int fd) {
  if (isatty(fd) == 0 || tcgetpgrp(fd) != getpgrp()) return nullptr;
  if (tcgetattr(fd, &saved_mode) != 0) return nullptr;
  termios raw = saved_mode;
  cfmakeraw(&raw);
  raw.c_oflag |= OPOST;  // our own lines on the same terminal still return to the first column
  if (tcsetattr(fd, TCSANOW, &raw) != 0) return nullptr;
  raw_fd = fd;
  for (int signal : kFatalSignals) ::signal(signal, RestoreAndDie);
  return std::unique_ptr<RawTerminal>(new RawTerminal(fd));
}

RawTerminal::~RawTerminal() {
  tcsetattr(fd_, TCSANOW, &saved_mode);
  raw_fd = -1;
  for (int signal : kFatalSignals) ::signal(signal, SIG_DFL);
}

}  // namespace vmm
