// The debugger's socket. One gdb at a time: a second one is turned away.
#ifndef VMM_GDB_SERVER_H_
#define VMM_GDB_SERVER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "devices/unix_socket/unix_listener.h"
#include "vmm/gdb/debug_guest.h"
#include "vmm/gdb/session.h"

namespace vmm {

// Used on the run's thread, which waits for fd() among its other descriptors and then calls Serve(). A gdb that sends
// nothing, reads nothing, or goes away holds nothing up.
class GdbServer {
 public:
  // Listens at `path` (devices/unix_socket/unix_listener.h has the rules). `words` are those of `monitor kernel`.
  // `stop_fd` is an eventfd that is readable when a vCPU came to a breakpoint. `guest` and `stop_fd` must outlive the
  // server.
  static absl::StatusOr<std::unique_ptr<GdbServer>> Listen(const std::string& path, std::string words, int stop_fd,
                                                           DebugGuest& guest);
  ~GdbServer();

  // For poll(2): readable if gdb, or a breakpoint, wants something.
  int fd() const { return epoll_.get(); }
  void Serve();

  // See GdbSession. Nothing happens if no gdb is connected.
  void GuestStopped();
  void GuestEnded();

 private:
  GdbServer(UnixListener listener, UniqueFd epoll, std::string words, int stop_fd, DebugGuest& guest)
      : listener_(std::move(listener)),
        epoll_(std::move(epoll)),
        words_(std::move(words)),
        stop_fd_(stop_fd),
        guest_(guest) {}

  absl::Status Watch(int fd);
  void Accept();
  void Read();
  void Write();
  void Drop();
  void LetGo();

  UnixListener listener_;
  UniqueFd epoll_;
  const std::string words_;
  const int stop_fd_;
  DebugGuest& guest_;
  UniqueFd client_;
  std::unique_ptr<GdbSession> session_;  // null: no gdb is connected
};

}  // namespace vmm

#endif  // VMM_GDB_SERVER_H_
