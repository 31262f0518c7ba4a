// The host's end of a guest's port: a file, an inherited descriptor, or a Unix socket with one client at a time.
#ifndef DEVICES_VIRTIO_CONSOLE_PORT_END_H_
#define DEVICES_VIRTIO_CONSOLE_PORT_END_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "devices/unix_socket/unix_listener.h"

namespace vmm {

// It never waits, but for a regular file's disk. Used by one thread at a time.
class PortEnd {
 public:
  // `where` is a FILE to write (made or emptied; a FIFO needs its reader), "unix:PATH" or "fd:N". A descriptor is
  // duplicated, and read too unless it is open only for writing. Errors do not name `where`.
  static absl::StatusOr<PortEnd> Open(const std::string& where);

  // True if somebody reads what the guest writes.
  bool connected() const { return stream_.valid(); }

  // -1: there is none, or it is always ready.
  int listener_fd() const { return listener_.has_value() ? listener_->fd() : -1; }
  int stream_fd() const { return pollable_ ? stream_.get() : -1; }

  // Takes the next client if there is none. True if it did.
  bool Accept();
  void Disconnect();

  // Like writev and readv: -1 and errno EAGAIN if it would have to wait.
  ssize_t Write(std::span<const iovec> parts) const;
  ssize_t Read(std::span<const iovec> parts) const;
  bool can_read() const { return connected() && reads_; }

 private:
  PortEnd() = default;

  std::optional<UnixListener> listener_;
  UniqueFd stream_;
  bool is_socket_ = false, pollable_ = false, reads_ = false;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_CONSOLE_PORT_END_H_
