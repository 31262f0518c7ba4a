// The guest's console on its way to standard output.
#ifndef VMM_CONSOLE_CONSOLE_WRITER_H_
#define VMM_CONSOLE_CONSOLE_WRITER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// Bytes go out at once: a run may end at any moment. A reader that does not read holds the
// guest up, as a terminal would, but not the end of the run (see StopWaiting). A reader that
// is gone holds nothing up. Any thread may call.
class ConsoleWriter {
 public:
  // `fd` is not owned, and its flags are not touched: others may share it.
  static absl::StatusOr<std::unique_ptr<ConsoleWriter>> Create(int fd);

  void Write(std::span<const uint8_t> bytes);

  // Any thread: from now on nobody waits for the reader; what it does not take is dropped.
  void StopWaiting();

 private:
  ConsoleWriter(int fd, UniqueFd own_fd, UniqueFd cancel_fd)
      : fd_(fd), own_fd_(std::move(own_fd)), cancel_fd_(std::move(cancel_fd)) {}

  bool WaitForRoom();
  ssize_t WriteSome(std::span<const uint8_t> bytes);

  const int fd_;
  const UniqueFd own_fd_;     // the same pipe or terminal, opened again so that it may be non-blocking
  const UniqueFd cancel_fd_;  // eventfd, readable once StopWaiting() was called
};

}  // namespace vmm

#endif  // VMM_CONSOLE_CONSOLE_WRITER_H_
