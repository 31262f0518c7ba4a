// The terminal that the guest's console is on, in raw mode for as long as this object lives.
#ifndef VMM_CONSOLE_TERMINAL_H_
#define VMM_CONSOLE_TERMINAL_H_

#include <termios.h>

#include <memory>

namespace vmm {

// Raw mode is process-wide: make at most one. The terminal is restored by the destructor and,
// should the process die of a signal of its own making (SIGSEGV, SIGBUS, SIGABRT, ...), by a
// handler; only SIGKILL leaves it raw.
class RawTerminal {
 public:
  // Null where `fd` is not a terminal, or is one of which this process is not in the foreground.
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
