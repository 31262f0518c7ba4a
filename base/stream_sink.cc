#include "base/stream_sink.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr std::array<uint8_t, 64 << 10> kZeros = {};  // as large as a pipe

// Bytes per write. If poll(2) reports room in a pipe, a write of PIPE_BUF bytes does not wait; a longer one may.
size_t PieceFor(int fd, int stop_fd) {
  const int flags = fcntl(fd, F_GETFL);
  const bool waits = stop_fd >= 0 && flags >= 0 && (flags & O_NONBLOCK) == 0;
  return waits ? PIPE_BUF : SIZE_MAX;
}

// True if what is passed over reads as zeros: past the end of a file.
bool CanHaveHoles(int fd) {
  struct stat file;
  const off_t at = lseek(fd, 0, SEEK_CUR);
  const int flags = fcntl(fd, F_GETFL);
  return at >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_size <= at && (flags & O_APPEND) == 0;
}

}  // namespace

StreamSink::StreamSink(int fd, std::string name, int stop_fd)
    : fd_(fd),
      name_(std::move(name)),
      stop_fd_(stop_fd),
      piece_(PieceFor(fd, stop_fd)),
      can_have_holes_(CanHaveHoles(fd)) {}

absl::Status StreamSink::WriteAt(uint64_t offset, std::span<const uint8_t> data) {
  if (offset < position_) {
    return absl::FailedPreconditionError(
        absl::StrFormat("%s: a stream cannot go back from byte %d to %d", name_, position_, offset));
  }
  RETURN_IF_ERROR(PutZeros(offset - position_));
  return Put(data);
}

absl::Status StreamSink::SetSize(uint64_t size) {
  size_ = size;
  return absl::OkStatus();
}

absl::Status StreamSink::Finish() {
  if (size_ > position_) RETURN_IF_ERROR(PutZeros(size_ - position_));
  if (can_have_holes_ && ftruncate(fd_, lseek(fd_, 0, SEEK_CUR)) != 0)
    return ErrnoStatus(errno, "set size of " + name_);
  // EINVAL, EROFS: `fd_` cannot be synced.
  if (fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) return ErrnoStatus(errno, "fsync " + name_);
  return absl::OkStatus();
}

absl::Status StreamSink::PutZeros(uint64_t size) {
  if (can_have_holes_) {
    if (lseek(fd_, static_cast<off_t>(size), SEEK_CUR) < 0) return ErrnoStatus(errno, "seek in " + name_);
    position_ += size;
    return absl::OkStatus();
  }
  while (size > 0) {
    const std::span<const uint8_t> zeros = std::span(kZeros).first(std::min<uint64_t>(size, kZeros.size()));
    RETURN_IF_ERROR(Put(zeros));
    size -= zeros.size();
  }
  return absl::OkStatus();
}

absl::Status StreamSink::WaitForRoom() const {
  bool stopped = false;
  while (true) {
    std::array<pollfd, 2> fds{pollfd{fd_, POLLOUT, 0}, pollfd{stopped ? -1 : stop_fd_, POLLIN, 0}};
    const int ready = poll(fds.data(), fds.size(), stopped ? kPatienceMs : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return ErrnoStatus(errno, "poll " + name_);
    if (fds[0].revents != 0) return absl::OkStatus();
    if (ready == 0) {
      return absl::DeadlineExceededError(
          absl::StrFormat("%s: told to stop, and its reader took nothing for %d ms, after %d of %d bytes", name_,
                          kPatienceMs, position_, size_));
    }
    stopped = true;
  }
}

absl::Status StreamSink::Put(std::span<const uint8_t> data) {
  while (!data.empty()) {
    if (stop_fd_ >= 0) RETURN_IF_ERROR(WaitForRoom());
    const ssize_t put = write(fd_, data.data(), std::min(data.size(), piece_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) {
      RETURN_IF_ERROR(WaitForRoom());
      continue;
    }
    if (put < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      return ErrnoStatus(errno,
                         absl::StrFormat("%s: its reader went away after %d of %d bytes", name_, position_, size_));
    }
    if (put <= 0) {
      return ErrnoStatus(put < 0 ? errno : EIO,
                         absl::StrFormat("write %s, after %d of %d bytes", name_, position_, size_));
    }
    data = data.subspan(static_cast<size_t>(put));
    position_ += static_cast<uint64_t>(put);
  }
  return absl::OkStatus();
}

}  // namespace vmm
