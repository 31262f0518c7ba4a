#include "devices/unix_socket/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  static_assert(sizeof address.sun_path == kMaxSocketPath + 1);
  if (path.empty() || path.size() > kMaxSocketPath || path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a socket's path has 1 to %d bytes, and this one has %d", kMaxSocketPath, path.size()));
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Removes a socket that nobody listens on.
absl::Status RemoveStale(const std::string& path) {
  struct stat st = {};
  if (lstat(path.c_str(), &st) != 0) return absl::OkStatus();
  if (!S_ISSOCK(st.st_mode)) return absl::AlreadyExistsError("there is a file that is not a socket: name another path");
  const absl::Status answer = ConnectUnix(path).status();
  if (answer.ok() || !absl::IsUnavailable(answer)) {
    return absl::AlreadyExistsError("another process listens there: each machine needs its own path");
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, "remove the socket that was there");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> ConnectUnix(const std::string& path) {
  ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  if (errno == ECONNREFUSED) return absl::UnavailableError("nobody listens there");
  return ErrnoStatus(errno, "connect");
}

absl::StatusOr<UnixListener> UnixListener::Listen(const std::string& path) {
  ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  RETURN_IF_ERROR(RemoveStale(path));
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "socket");
  // Linux makes the file with the mode of the socket itself. So nobody can connect between bind() and a chmod().
  if (fchmod(fd.get(), 0600) != 0) return ErrnoStatus(errno, "fchmod");
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return ErrnoStatus(errno, "bind");
  }
  struct stat st = {};
  if (lstat(path.c_str(), &st) != 0) return ErrnoStatus(errno, "stat of the new socket");
  UnixListener listener(std::move(fd), path, st.st_dev, st.st_ino);
  if (listen(listener.fd(), SOMAXCONN) != 0) return ErrnoStatus(errno, "listen");
  return listener;
}

UnixListener::~UnixListener() {
  if (!fd_.valid()) return;
  struct stat st = {};
  const bool ours = lstat(path_.c_str(), &st) == 0 && st.st_dev == device_ && st.st_ino == inode_;
  if (ours) unlink(path_.c_str());
}

UniqueFd UnixListener::Accept() const {
  int fd;
  do {
    fd = accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  return UniqueFd(fd);
}

}  // namespace vmm
