#include "base/shared_output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <system_error>
#include <thread>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// After a stop is requested, give up after this long on a reader that takes nothing.
constexpr absl::Duration kPatienceAfterStop = absl::Seconds(1);

int Milliseconds(absl::Duration limit) {
  if (limit == absl::InfiniteDuration()) return -1;
  const int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(limit, absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(ms, 0, INT_MAX));
}

bool IsReadable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return fd >= 0 && poll(&one, 1, 0) == 1;
}

// Like poll(2) on `fd` and `cancel_fd`, but after EINTR it waits again for all of `limit`.
SharedOutput::Room WaitFor(int fd, short events, int cancel_fd, absl::Duration limit) {
  std::array<pollfd, 2> fds{pollfd{fd, events, 0}, pollfd{cancel_fd, POLLIN, 0}};
  int ready;
  do {
    ready = poll(fds.data(), fds.size(), Milliseconds(limit));
  } while (ready < 0 && errno == EINTR);
  if (fds[0].revents != 0) return SharedOutput::Room::kYes;
  return ready == 0 ? SharedOutput::Room::kTimeout : SharedOutput::Room::kCancelled;
}

}  // namespace

struct SharedOutput::Relay {
  UniqueFd in;   // the reading end of our pipe, blocking
  UniqueFd out;  // the shared descriptor
  UniqueFd done;
  std::atomic<uint64_t> taken = 0;  // bytes
  std::atomic<int> error = 0;       // errno of the write that failed

  // Runs in the thread. An error closes the pipe, so that a writer to it gets EPIPE.
  void Run() {
    std::array<uint8_t, PIPE_BUF> buffer;
    ssize_t got;
    while ((got = read(in.get(), buffer.data(), buffer.size())) > 0) {
      if (!Put(std::span<const uint8_t>(buffer.data(), static_cast<size_t>(got)))) break;
    }
    in.reset();
    out.reset();
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = write(done.get(), &one, sizeof(one));
  }

  bool Put(std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t put = write(out.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && errno == EAGAIN) {  // another process that shares it made it non-blocking
        WaitFor(out.get(), POLLOUT, -1, absl::InfiniteDuration());
        continue;
      }
      if (put <= 0) {
        error = put < 0 ? errno : EIO;
        return false;
      }
      taken += static_cast<uint64_t>(put);
      bytes = bytes.subspan(static_cast<size_t>(put));
    }
    return true;
  }
};

absl::StatusOr<std::unique_ptr<SharedOutput>> SharedOutput::StartRelay(UniqueFd out) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe2");
  const auto relay = std::make_shared<Relay>();
  relay->in.reset(ends[0]);
  UniqueFd writer(ends[1]);
  if (fcntl(writer.get(), F_SETFL, O_NONBLOCK) != 0) return ErrnoStatus(errno, "make a pipe non-blocking");
  relay->out = std::move(out);
  relay->done.reset(eventfd(0, EFD_CLOEXEC));
  if (!relay->done.valid()) return ErrnoStatus(errno, "eventfd");

  sigset_t all, before;  // the thread must handle no signals
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  try {
    std::thread([relay] { relay->Run(); }).detach();
  } catch (const std::system_error& failed) {
    error = failed.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return ErrnoStatus(error, "start a thread for the output");
  return std::unique_ptr<SharedOutput>(new SharedOutput(std::move(writer), /*is_socket=*/false, relay));
}

absl::StatusOr<std::unique_ptr<SharedOutput>> SharedOutput::Open(int fd, Reopen reopen) {
  struct stat st = {};
  UniqueFd same(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!same.valid() || fstat(fd, &st) != 0) return ErrnoStatus(errno, absl::StrFormat("file descriptor %d", fd));
  const bool is_socket = S_ISSOCK(st.st_mode);
  // A regular file never makes a writer wait for a reader. A second opening of it would begin at offset 0.
  if (is_socket || S_ISREG(st.st_mode)) {
    return std::unique_ptr<SharedOutput>(new SharedOutput(std::move(same), is_socket, nullptr));
  }
  if (reopen == Reopen::kTry) {
    const std::string path = absl::StrFormat("/proc/self/fd/%d", fd);
    UniqueFd own(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (own.valid()) {
      return std::unique_ptr<SharedOutput>(new SharedOutput(std::move(own), /*is_socket=*/false, nullptr));
    }
  }
  return StartRelay(std::move(same));
}

SharedOutput::~SharedOutput() { (void)Drain(/*stop_fd=*/-1, kPatienceAfterStop); }

ssize_t SharedOutput::WriteSome(std::span<const uint8_t> bytes) {
  if (is_socket_) return send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return write(fd_.get(), bytes.data(), bytes.size());
}

SharedOutput::Room SharedOutput::WaitForRoom(int cancel_fd, absl::Duration limit) const {
  return WaitFor(fd_.get(), POLLOUT, cancel_fd, limit);
}

absl::Status SharedOutput::WriteAll(std::span<const uint8_t> bytes, int stop_fd, absl::Duration patience) {
  const size_t size = bytes.size();
  while (!bytes.empty()) {
    const ssize_t put = WriteSome(bytes);
    if (put > 0) {
      bytes = bytes.subspan(static_cast<size_t>(put));
      continue;
    }
    if (put < 0 && errno == EINTR) continue;
    const size_t taken = size - bytes.size();
    if (put == 0 || errno != EAGAIN) {
      const int error = put == 0 ? EIO : errno;
      return ErrnoStatus(error, absl::StrFormat("write, after %d of %d bytes", taken, size));
    }
    Room room = Room::kCancelled;
    if (!IsReadable(stop_fd)) room = WaitForRoom(stop_fd, patience);
    if (room == Room::kCancelled) room = WaitForRoom(-1, std::min(patience, kPatienceAfterStop));
    if (room != Room::kYes) {
      return absl::DeadlineExceededError(
          absl::StrFormat("its reader took %d of %d bytes, and then nothing more", taken, size));
    }
  }
  return absl::OkStatus();
}

absl::Status SharedOutput::Drain(int stop_fd, absl::Duration patience) {
  if (relay_ == nullptr) return absl::OkStatus();
  fd_.reset();
  while (true) {
    const uint64_t before = relay_->taken;
    Room done = Room::kCancelled;
    if (!IsReadable(stop_fd)) done = WaitFor(relay_->done.get(), POLLIN, stop_fd, patience);
    if (done == Room::kCancelled) {
      done = WaitFor(relay_->done.get(), POLLIN, -1, std::min(patience, kPatienceAfterStop));
    }
    if (done == Room::kYes) break;
    if (relay_->taken == before) {
      return absl::DeadlineExceededError("its reader takes nothing, and does not have all of it");
    }
  }
  const int error = relay_->error;
  return error == 0 ? absl::OkStatus() : ErrnoStatus(error, "write");
}

}  // namespace vmm
