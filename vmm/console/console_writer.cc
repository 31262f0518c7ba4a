#include "vmm/console/console_writer.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<ConsoleWriter>> ConsoleWriter::Create(int fd, SharedOutput::Reopen reopen) {
  UniqueFd cancel(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cancel.valid()) return ErrnoStatus(errno, "console: eventfd");
  ASSIGN_OR_RETURN(std::unique_ptr<SharedOutput> output, Annotate(SharedOutput::Open(fd, reopen), "console"));
  return std::unique_ptr<ConsoleWriter>(new ConsoleWriter(std::move(output), std::move(cancel)));
}

void ConsoleWriter::Write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = output_->WriteSome(bytes);
    if (written > 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
      continue;
    }
    if (written < 0 && errno == EINTR) continue;
    if (written == 0 || errno != EAGAIN) return;
    if (output_->WaitForRoom(cancel_fd_.get(), absl::InfiniteDuration()) != SharedOutput::Room::kYes) return;
  }
}

void ConsoleWriter::StopWaiting() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(cancel_fd_.get(), &one, sizeof(one));
}

}  // namespace vmm
