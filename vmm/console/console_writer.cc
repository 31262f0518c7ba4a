#include "vmm/console/console_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

namespace {

// O_NONBLOCK is a flag of the open file, which whoever started us may share. A pipe or terminal
// can be opened again, to a flag of our own. A regular file could too, but would lose its offset;
// it does not block anyway.
UniqueFd OpenAgain(int fd) {
  struct stat st = {};
  if (fstat(fd, &st) != 0 || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))) return UniqueFd();
  return UniqueFd(open(absl::StrFormat("/proc/self/fd/%d", fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConsoleWriter>> ConsoleWriter::Create(int fd) {
  UniqueFd cancel(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cancel.valid()) return ErrnoStatus(errno, "console: eventfd");
  return std::unique_ptr<ConsoleWriter>(new ConsoleWriter(fd, OpenAgain(fd), std::move(cancel)));
}

bool ConsoleWriter::WaitForRoom() {
  std::array<pollfd, 2> fds{pollfd{fd_, POLLOUT, 0}, pollfd{cancel_fd_.get(), POLLIN, 0}};
  while (poll(fds.data(), fds.size(), -1) < 0) {
    if (errno != EINTR) return false;
  }
  return (fds[0].revents & POLLOUT) != 0;
}

// As much as goes out without waiting; EAGAIN where that is nothing.
ssize_t ConsoleWriter::WriteSome(std::span<const uint8_t> bytes) {
  if (own_fd_.valid()) return write(own_fd_.get(), bytes.data(), bytes.size());
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return write(fd_, bytes.data(), bytes.size());
}

void ConsoleWriter::Write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = WriteSome(bytes);
    if (written > 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
      continue;
    }
    if (written < 0 && errno == EINTR) continue;
    if (written == 0 || errno != EAGAIN || !WaitForRoom()) return;
  }
}

void ConsoleWriter::StopWaiting() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(cancel_fd_.get(), &one, sizeof(one));
}

}  // namespace vmm
