#include "devices/virtio/console/port_end.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

absl::StatusOr<int> DescriptorOf(std::string_view text) {
  int fd = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (error != std::errc() || end != text.data() + text.size() || fd < 0) {
    return absl::InvalidArgumentError("fd: needs the number of an open descriptor");
  }
  return fd;
}

// A descriptor of ours for what `fd` is. A pipe or terminal is opened again, because O_NONBLOCK on `fd` itself would
// change it for everybody who shares it.
absl::StatusOr<UniqueFd> OwnDescriptor(int fd, int access, mode_t mode) {
  if (S_ISFIFO(mode) || S_ISCHR(mode)) {
    UniqueFd again(open(absl::StrFormat("/proc/self/fd/%d", fd).c_str(), access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (again.valid()) return again;
    return ErrnoStatus(errno, "open it again without blocking");
  }
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return ErrnoStatus(errno, "duplicate it");
  return copy;
}

// What epoll takes: others are always ready.
bool IsPollable(int fd, mode_t mode) { return S_ISFIFO(mode) || S_ISSOCK(mode) || (S_ISCHR(mode) && isatty(fd) == 1); }

}  // namespace

absl::StatusOr<PortEnd> PortEnd::Open(const std::string& where) {
  PortEnd end;
  if (where.starts_with("unix:")) {
    ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Listen(where.substr(5)));
    end.listener_.emplace(std::move(listener));
    end.is_socket_ = end.pollable_ = end.reads_ = true;
    return end;
  }
  struct stat st = {};
  if (where.starts_with("fd:")) {
    ASSIGN_OR_RETURN(const int fd, DescriptorOf(std::string_view(where).substr(3)));
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &st) != 0) return ErrnoStatus(errno, absl::StrFormat("descriptor %d", fd));
    const int access = flags & O_ACCMODE;
    if (access == O_RDONLY) return absl::InvalidArgumentError("the descriptor is open only for reading");
    ASSIGN_OR_RETURN(end.stream_, OwnDescriptor(fd, access, st.st_mode));
    end.reads_ = access == O_RDWR;
  } else {
    if (where.empty()) return absl::InvalidArgumentError("FILE, unix:PATH or fd:N is missing");
    end.stream_.reset(open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666));
    if (!end.stream_.valid() && errno == ENXIO) return absl::FailedPreconditionError("it is a FIFO without a reader");
    if (!end.stream_.valid()) return ErrnoStatus(errno, "open for writing");
    if (fstat(end.stream_.get(), &st) != 0) return ErrnoStatus(errno, "stat");
  }
  end.is_socket_ = S_ISSOCK(st.st_mode);
  end.pollable_ = IsPollable(end.stream_.get(), st.st_mode);
  return end;
}

bool PortEnd::Accept() {
  if (connected() || !listener_.has_value()) return false;
  stream_ = listener_->Accept();
  return connected();
}

void PortEnd::Disconnect() { stream_.reset(); }

ssize_t PortEnd::Write(std::span<const iovec> parts) const {
  const size_t count = std::min<size_t>(parts.size(), IOV_MAX);
  ssize_t done;
  do {
    if (is_socket_) {
      msghdr message = {};
      message.msg_iov = const_cast<iovec*>(parts.data());
      message.msg_iovlen = count;
      done = sendmsg(stream_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      done = writev(stream_.get(), parts.data(), static_cast<int>(count));
    }
  } while (done < 0 && errno == EINTR);
  return done;
}

ssize_t PortEnd::Read(std::span<const iovec> parts) const {
  const size_t count = std::min<size_t>(parts.size(), IOV_MAX);
  ssize_t done;
  do {
    if (is_socket_) {
      msghdr message = {};
      message.msg_iov = const_cast<iovec*>(parts.data());
      message.msg_iovlen = count;
      done = recvmsg(stream_.get(), &message, MSG_DONTWAIT);
    } else {
      done = readv(stream_.get(), parts.data(), static_cast<int>(count));
    }
  } while (done < 0 && errno == EINTR);
  return done;
}

}  // namespace vmm
