#include "vmm/console_writer.h"

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<ConsoleWriter>> ConsoleWriter::Create(int fd) {
  UniqueFd cancel(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cancel.valid()) return ErrnoStatus(errno, "console: eventfd");
  return std::unique_ptr<ConsoleWriter>(new ConsoleWriter(fd, std::move(cancel)));
}

bool ConsoleWriter::WaitForRoom() {
  std::array<pollfd, 2> fds{pollfd{fd_, POLLOUT, 0}, pollfd{cancel_fd_.get(), POLLIN, 0}};
  while (poll(fds.data(), fds.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return (fds[0].revents & POLLOUT) != 0;
}

void ConsoleWriter::Write(std::span<const uint8_t> bytes) {
  while (!bytes.empty() && WaitForRoom()) {
    // A pipe with room takes PIPE_BUF bytes without blocking.
    const ssize_t written = write(fd_, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
    if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (written <= 0) return;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void ConsoleWriter::StopWaiting() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(cancel_fd_.get(), &one, sizeof(one));
}

}  // namespace vmm
