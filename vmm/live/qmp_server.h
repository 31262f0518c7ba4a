// The monitor's socket: any number of clients up to a limit, each with a session of its own.
#ifndef VMM_LIVE_QMP_SERVER_H_
#define VMM_LIVE_QMP_SERVER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "devices/unix_socket/unix_listener.h"
#include "vmm/live/live_guest.h"
#include "vmm/live/qmp_session.h"

namespace vmm {

// Used on the run's thread, which waits for fd() among its other descriptors and then calls Serve(). A client that
// sends nothing, reads nothing, or goes away holds nothing up.
class QmpServer {
 public:
  static constexpr size_t kMaxClients = 16;

  // Listens at `path` (devices/unix_socket/unix_listener.h has the rules). `guest` must outlive the server.
  static absl::StatusOr<std::unique_ptr<QmpServer>> Listen(const std::string& path, LiveGuest& guest);

  // For poll(2): readable if a client wants something.
  int fd() const { return epoll_.get(); }
  void Serve();

  // Tells every client of an event.
  void Tell(std::string_view event, const QmpSession::Json& data = nullptr);

 private:
  struct Client {
    UniqueFd fd;
    std::unique_ptr<QmpSession> session;
    bool half_closed = false;  // it sends no more, but still reads
    bool gone = false;
  };

  QmpServer(UnixListener listener, UniqueFd epoll, LiveGuest& guest)
      : listener_(std::move(listener)), epoll_(std::move(epoll)), guest_(guest) {}

  void Accept();
  void Read(Client& client);
  void Write(Client& client);
  void Watch(const Client& client, int operation);

  UnixListener listener_;
  UniqueFd epoll_;
  LiveGuest& guest_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace vmm

#endif  // VMM_LIVE_QMP_SERVER_H_
