#include "vmm/gdb/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "base/log.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<GdbServer>> GdbServer::Listen(const std::string& path, std::string words, int stop_fd,
                                                             DebugGuest& guest) {
  ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Listen(path));
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return ErrnoStatus(errno, "epoll_create1");
  std::unique_ptr<GdbServer> server(
      new GdbServer(std::move(listener), std::move(epoll), std::move(words), stop_fd, guest));
  RETURN_IF_ERROR(server->Watch(server->listener_.fd()));
  RETURN_IF_ERROR(server->Watch(stop_fd));
  return server;
}

GdbServer::~GdbServer() = default;

absl::Status GdbServer::Watch(int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "watch the debugger's socket");
}

void GdbServer::Serve() {
  std::array<epoll_event, 4> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const int fd = events[static_cast<size_t>(i)].data.fd;
    if (fd == listener_.fd()) {
      Accept();
    } else if (fd == stop_fd_) {
      uint64_t number;
      [[maybe_unused]] const ssize_t got = read(stop_fd_, &number, sizeof(number));
      if (session_ != nullptr) {
        session_->LookForStop();
      } else {
        LetGo();
      }
    } else if (client_.valid() && fd == client_.get()) {
      if ((events[static_cast<size_t>(i)].events & EPOLLOUT) != 0) Write();
      if ((events[static_cast<size_t>(i)].events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) Read();
    }
  }
  Write();
}

void GdbServer::Accept() {
  UniqueFd fd = listener_.Accept();
  if (!fd.valid()) return;
  if (session_ != nullptr) {
    LogInfo("gdb: a second debugger was turned away");
    return;
  }
  if (!Watch(fd.get()).ok()) return;
  client_ = std::move(fd);
  session_ = std::make_unique<GdbSession>(guest_, words_);
}

void GdbServer::Read() {
  std::array<char, 4096> bytes;
  const ssize_t size = recv(client_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return Drop();
  session_->Receive(std::string_view(bytes.data(), static_cast<size_t>(size)));
}

void GdbServer::Write() {
  if (session_ == nullptr) return;
  std::string& output = session_->output();
  while (!output.empty()) {
    const ssize_t size = send(client_.get(), output.data(), output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size <= 0) {
      if (errno != EAGAIN && errno != EINTR) return Drop();
      break;
    }
    output.erase(0, static_cast<size_t>(size));
  }
  if (session_->ended()) return Drop();
  epoll_event event{.events = EPOLLIN | (output.empty() ? 0u : static_cast<uint32_t>(EPOLLOUT)),
                    .data = {.fd = client_.get()}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client_.get(), &event);
}

// A breakpoint that could not be taken out when gdb went away.
void GdbServer::LetGo() {
  if (!guest_.TakeStop().has_value()) return;
  guest_.ForgetBreaks();
  if (const absl::Status went = guest_.Go({}); !went.ok()) LogWarning("gdb: " + std::string(went.message()));
}

void GdbServer::Drop() {
  if (session_ == nullptr) return;
  session_->Leave();
  session_.reset();
  client_.reset();
}

void GdbServer::GuestStopped() {
  if (session_ == nullptr) return;
  session_->GuestStopped();
  Write();
}

void GdbServer::GuestEnded() {
  if (session_ == nullptr) return;
  session_->GuestEnded();
  Write();
}

}  // namespace vmm
