// The guest's console on its way to standard output.
#ifndef VMM_CONSOLE_CONSOLE_WRITER_H_
#define VMM_CONSOLE_CONSOLE_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "base/shared_output.h"
#include "base/unique_fd.h"

namespace vmm {

// Bytes go out at once: a run may end at any moment. A reader that does not read holds the
// guest up, as a terminal would, but not the end of the run (see StopWaiting). A reader that
// is gone holds nothing up. Any thread may call.
class ConsoleWriter {
 public:
  // `fd` is not owned, and its flags are not touched: others may share it.
  // `reopen` is as SharedOutput has it.
  static absl::StatusOr<std::unique_ptr<ConsoleWriter>> Create(
      int fd, SharedOutput::Reopen reopen = SharedOutput::Reopen::kTry);

  void Write(std::span<const uint8_t> bytes);

  // Any thread: from now on nobody waits for the reader; what it does not take is dropped.
  void StopWaiting();

 private:
  ConsoleWriter(std::unique_ptr<SharedOutput> output, UniqueFd cancel_fd)
      : output_(std::move(output)), cancel_fd_(std::move(cancel_fd)) {}

  const std::unique_ptr<SharedOutput> output_;
  const UniqueFd cancel_fd_;  // eventfd, readable once StopWaiting() was called
};

}  // namespace vmm

#endif  // VMM_CONSOLE_CONSOLE_WRITER_H_
