// A Unix socket in a directory of the user's, by which programs of the host reach a device of one machine.
#ifndef DEVICES_UNIX_SOCKET_UNIX_LISTENER_H_
#define DEVICES_UNIX_SOCKET_UNIX_LISTENER_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// Used by one thread at a time.
class UnixListener {
 public:
  // Binds `path` with mode 0600, whatever the umask, and listens. A socket there that nobody listens on is a dead
  // machine's, and is replaced. AlreadyExists if somebody does, or if it is no socket; InvalidArgument if the path is
  // longer than a socket's may be. Errors do not name the path; the caller adds it.
  static absl::StatusOr<UnixListener> Listen(const std::string& path);

  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&& other) = delete;
  ~UnixListener();  // removes the socket's file, unless another one took its place

  int fd() const { return fd_.get(); }  // readable when somebody connects

  // The next connection, non-blocking. An invalid one if nobody waits, or the process has no descriptors left.
  UniqueFd Accept() const;

 private:
  UnixListener(UniqueFd fd, std::string path, dev_t device, ino_t inode)
      : fd_(std::move(fd)), path_(std::move(path)), device_(device), inode_(inode) {}

  UniqueFd fd_;
  std::string path_;
  dev_t device_;
  ino_t inode_;
};

// Connects to the socket at `path`, non-blocking. Unavailable, NotFound or another error if nobody accepts at once.
absl::StatusOr<UniqueFd> ConnectUnix(const std::string& path);

// The longest path of a socket, in bytes.
inline constexpr size_t kMaxSocketPath = 107;

}  // namespace vmm

#endif  // DEVICES_UNIX_SOCKET_UNIX_LISTENER_H_
