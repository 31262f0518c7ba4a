#include "vmm/console/shared_input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// Skips regular files: reopening would lose the offset, and they do not block anyway.
UniqueFd OpenAgain(int fd) {
  struct stat st = {};
  if (fstat(fd, &st) != 0 || (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))) return UniqueFd();
  return UniqueFd(open(absl::StrFormat("/proc/self/fd/%d", fd).c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

SharedInput::SharedInput(int fd) : fd_(fd), own_fd_(OpenAgain(fd)) {}

ssize_t SharedInput::ReadSome(std::span<uint8_t> buffer) {
  if (own_fd_.valid()) return read(own_fd_.get(), buffer.data(), buffer.size());
  const ssize_t received = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received >= 0 || errno != ENOTSOCK) return received;
  const iovec piece = {buffer.data(), buffer.size()};
  const ssize_t got = preadv2(fd_, &piece, 1, /*offset=*/-1, RWF_NOWAIT);
  if (got >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EAGAIN)) return got;
  // On a regular file, EAGAIN means that the disk would block.
  pollfd input{fd_, POLLIN, 0};
  if (poll(&input, 1, 0) == 1) return read(fd_, buffer.data(), buffer.size());
  errno = EAGAIN;
  return -1;
}

}  // namespace vmm
