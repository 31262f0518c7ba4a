// Writes the guest's console to standard output.
#ifndef VMM_CONSOLE_CONSOLE_WRITER_H_
#define VMM_CONSOLE_CONSOLE_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "base/shared_output.h"
#include "base/unique_fd.h"

namespace vmm {

// Bytes go out at once, because a run may end at any moment. A reader that does not read stalls the guest, as a
// terminal would, but not the end of the run (see StopWaiting). A reader that is gone stalls nothing. Any thread may
// call.
class ConsoleWriter {
 public:
  // Does not own `fd` and leaves its flags alone, because others may share it.
  // `reopen`: see SharedOutput.
  static absl::StatusOr<std::unique_ptr<ConsoleWriter>> Create(
      int fd, SharedOutput::Reopen reopen = SharedOutput::Reopen::kTry);

  void Write(std::span<const uint8_t> bytes);

  // Any thread: from now on no write waits for the reader; whatever it does not take is dropped.
  void StopWaiting();

 private:
  ConsoleWriter(std::unique_ptr<SharedOutput> output, UniqueFd cancel_fd)
      : output_(std::move(output)), cancel_fd_(std::move(cancel_fd)) {}

  const std::unique_ptr<SharedOutput> output_;
  const UniqueFd cancel_fd_;  // eventfd, readable once StopWaiting() was called
};

}  // namespace vmm

#endif  // VMM_CONSOLE_CONSOLE_WRITER_H_
