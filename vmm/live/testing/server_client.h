// A client of a server whose loop the test turns by hand: the monitor's, or the debugger's.
#ifndef VMM_LIVE_TESTING_SERVER_CLIENT_H_
#define VMM_LIVE_TESTING_SERVER_CLIENT_H_

#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace vmm {

// Serves what comes, until nothing has come for 20 ms.
template <typename Server>
void ServeAll(Server& server) {
  pollfd ready{server.fd(), POLLIN, 0};
  while (poll(&ready, 1, 20) > 0) server.Serve();
}

// All that has come; "EOF" at the end if the server closed.
inline std::string Received(const UniqueFd& client) {
  std::string text;
  char bytes[4096];
  for (;;) {
    const ssize_t size = recv(client.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size == 0) return text + "EOF";
    if (size < 0) return text;
    text.append(bytes, static_cast<size_t>(size));
  }
}

}  // namespace vmm

#endif  // VMM_LIVE_TESTING_SERVER_CLIENT_H_
