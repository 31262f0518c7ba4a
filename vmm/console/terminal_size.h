// The size of the user's terminal, and the news that it has changed.
#ifndef VMM_CONSOLE_TERMINAL_SIZE_H_
#define VMM_CONSOLE_TERMINAL_SIZE_H_

#include <csignal>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// Takes SIGWINCH as something to poll for while it lives. Made, used and destroyed by one thread, and made before any
// other thread is started: threads inherit the signal mask.
class TerminalSize {
 public:
  struct Cells {
    uint16_t rows = 0;
    uint16_t columns = 0;
  };

  // `terminal` is not owned.
  static absl::StatusOr<std::unique_ptr<TerminalSize>> Watch(int terminal);

  TerminalSize(const TerminalSize&) = delete;
  TerminalSize& operator=(const TerminalSize&) = delete;
  ~TerminalSize();

  int fd() const { return fd_.get(); }  // readable after a change; see Read()

  // The size now; {0, 0} if the terminal does not know it. Takes the news.
  Cells Read();

 private:
  explicit TerminalSize(int terminal) : terminal_(terminal) {}

  const int terminal_;
  UniqueFd fd_;
  sigset_t old_mask_ = {};
};

}  // namespace vmm

#endif  // VMM_CONSOLE_TERMINAL_SIZE_H_
