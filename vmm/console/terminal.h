// Puts the terminal of the guest's console into raw mode for the lifetime of this object.
#ifndef VMM_CONSOLE_TERMINAL_H_
#define VMM_CONSOLE_TERMINAL_H_

#include <termios.h>

#include <memory>

namespace vmm {

// Raw mode is process-wide: make at most one. The destructor restores the terminal. If the process dies of a signal
// that it caused itself (SIGSEGV, SIGBUS, SIGABRT, ...), a handler restores it; only SIGKILL leaves it raw.
class RawTerminal {
 public:
  // Null if `fd` is not a terminal, or if this process is not in that terminal's foreground.
  static std::unique_ptr<RawTerminal> Enter(int fd);

  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

 private:
  explicit RawTerminal(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace vmm

#endif  // VMM_CONSOLE_TERMINAL_H_
