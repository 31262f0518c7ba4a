#include "vmm/live/qmp_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/status.h"

namespace vmm {
namespace {

// Descriptors that came with a message.
std::vector<UniqueFd> TakeFds(msghdr& message) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(fd));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

absl::StatusOr<std::unique_ptr<QmpServer>> QmpServer::Listen(const std::string& path, LiveGuest& guest) {
  ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Listen(path));
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return ErrnoStatus(errno, "epoll_create1");
  std::unique_ptr<QmpServer> server(new QmpServer(std::move(listener), std::move(epoll), guest));
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  if (epoll_ctl(server->epoll_.get(), EPOLL_CTL_ADD, server->listener_.fd(), &event) != 0) {
    return ErrnoStatus(errno, "watch the monitor's socket");
  }
  return server;
}

void QmpServer::Watch(const Client& client, int operation) {
  uint32_t events = client.half_closed ? 0 : static_cast<uint32_t>(EPOLLIN);
  if (!client.session->output().empty()) events |= EPOLLOUT;
  epoll_event event{.events = events, .data = {.ptr = const_cast<Client*>(&client)}};
  epoll_ctl(epoll_.get(), operation, client.fd.get(), &event);
}

void QmpServer::Serve() {
  std::array<epoll_event, 2 * kMaxClients> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    Client* const client = static_cast<Client*>(event.data.ptr);
    if (client == nullptr) {
      Accept();
      continue;
    }
    if ((event.events & EPOLLIN) != 0) Read(*client);
    if ((event.events & (EPOLLHUP | EPOLLERR)) != 0 && (event.events & EPOLLIN) == 0) client->gone = true;
  }
  // Every client may have been told of an event.
  for (const std::unique_ptr<Client>& client : clients_) Write(*client);
  std::erase_if(clients_, [](const std::unique_ptr<Client>& client) {
    const bool all_sent = client->session->output().empty();
    return client->gone || (all_sent && (client->half_closed || client->session->ended()));
  });
}

void QmpServer::Accept() {
  UniqueFd fd = listener_.Accept();
  if (!fd.valid() || clients_.size() >= kMaxClients) return;  // closed at once: it reads an end of file
  auto client = std::make_unique<Client>();
  client->fd = std::move(fd);
  client->session = std::make_unique<QmpSession>(
      guest_, [this](std::string_view event, const QmpSession::Json& data) { Tell(event, data); });
  Watch(*client, EPOLL_CTL_ADD);
  clients_.push_back(std::move(client));
}

// One read for each time that there is something, so that a client that floods leaves the others their turn.
void QmpServer::Read(Client& client) {
  std::array<char, 4096> bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(QmpSession::kMaxFds * sizeof(int))> control;
  iovec buffer{bytes.data(), bytes.size()};
  msghdr message{.msg_iov = &buffer, .msg_iovlen = 1, .msg_control = control.data(), .msg_controllen = control.size()};
  const ssize_t size = recvmsg(client.fd.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0) {
    client.gone = errno != EAGAIN && errno != EINTR;
    return;
  }
  std::vector<UniqueFd> fds = TakeFds(message);
  if (size == 0) {
    client.half_closed = true;
    Watch(client, EPOLL_CTL_MOD);
    return;
  }
  client.session->Receive(std::string_view(bytes.data(), static_cast<size_t>(size)), std::move(fds));
}

void QmpServer::Write(Client& client) {
  std::string& output = client.session->output();
  if (client.gone) return;
  while (!output.empty()) {
    const ssize_t size = send(client.fd.get(), output.data(), output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size <= 0) {
      client.gone = errno != EAGAIN && errno != EINTR;
      break;
    }
    output.erase(0, static_cast<size_t>(size));
  }
  Watch(client, EPOLL_CTL_MOD);
}

void QmpServer::Tell(std::string_view event, const QmpSession::Json& data) {
  for (const std::unique_ptr<Client>& client : clients_) client->session->Tell(event, data);
}

}  // namespace vmm
