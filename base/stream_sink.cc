#include "base/stream_sink.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr std::array<uint8_t, 64 << 10> kZeros = {};  // as much as a pipe holds

}  // namespace

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
  // EINVAL, EROFS: nothing that could be synced.
  if (fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) return ErrnoStatus(errno, "fsync " + name_);
  return absl::OkStatus();
}

absl::Status StreamSink::PutZeros(uint64_t size) {
  while (size > 0) {
    const std::span<const uint8_t> zeros = std::span(kZeros).first(std::min<uint64_t>(size, kZeros.size()));
    RETURN_IF_ERROR(Put(zeros));
    size -= zeros.size();
  }
  return absl::OkStatus();
}

absl::Status StreamSink::Put(std::span<const uint8_t> data) {
  while (!data.empty()) {
    const ssize_t put = write(fd_, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) {
      pollfd room{.fd = fd_, .events = POLLOUT};
      if (poll(&room, 1, -1) < 0 && errno != EINTR) return ErrnoStatus(errno, "poll " + name_);
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
