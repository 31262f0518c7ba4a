#include "devices/virtio/net/frame_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr size_t kLengthBytes = 4;
constexpr size_t kRoom = 4 * (kLengthBytes + kMaxFrameBytes);  // a few large frames or many small ones in one recv()

uint32_t BigEndian(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap32(value);
}

}  // namespace

FrameStream::FrameStream(std::string name, UniqueFd socket)
    : name_(std::move(name)), socket_(std::move(socket)), out_(kLengthBytes + kMaxFrameBytes), in_(kRoom) {}

absl::StatusOr<bool> FrameStream::Send(std::span<const uint8_t> frame) {
  if (frame.size() < kMinFrameBytes || frame.size() > kMaxFrameBytes) {
    return absl::InvalidArgumentError(absl::StrFormat("a frame of %d bytes", frame.size()));
  }
  if (out_begin_ != out_end_) {
    ASSIGN_OR_RETURN(const bool sent, Flush());
    if (!sent) return false;
  }
  const uint32_t length = __builtin_bswap32(static_cast<uint32_t>(frame.size()));
  std::memcpy(out_.data(), &length, kLengthBytes);
  std::memcpy(out_.data() + kLengthBytes, frame.data(), frame.size());
  out_begin_ = 0;
  out_end_ = kLengthBytes + frame.size();
  ASSIGN_OR_RETURN([[maybe_unused]] const bool sent, Flush());
  return true;
}

absl::StatusOr<bool> FrameStream::Flush() {
  while (out_begin_ != out_end_) {
    const ssize_t sent =
        send(socket_.get(), out_.data() + out_begin_, out_end_ - out_begin_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (sent < 0) return ErrnoStatus(errno, absl::StrFormat("%s: send a frame", name_));
    out_begin_ += static_cast<size_t>(sent);
  }
  return true;
}

absl::StatusOr<std::span<const uint8_t>> FrameStream::Receive() {
  while (true) {
    ASSIGN_OR_RETURN(const std::span<const uint8_t> frame, TakeFrame());
    if (!frame.empty()) return frame;
    // What is left is less than a frame, so it always fits at the front with a whole frame's room after it.
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
    const ssize_t got = recv(socket_.get(), in_.data() + in_end_, in_.size() - in_end_, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::span<const uint8_t>();
    if (got < 0) return ErrnoStatus(errno, absl::StrFormat("%s: receive a frame", name_));
    if (got == 0) return absl::UnavailableError(absl::StrFormat("%s: closed its socket", name_));
    in_end_ += static_cast<size_t>(got);
  }
}

absl::StatusOr<std::span<const uint8_t>> FrameStream::TakeFrame() {
  if (in_end_ - in_begin_ < kLengthBytes) return std::span<const uint8_t>();
  const size_t length = BigEndian(in_.data() + in_begin_);
  if (length < kMinFrameBytes || length > kMaxFrameBytes) {
    return absl::DataLossError(absl::StrFormat("%s: a frame of %d bytes; %d to %d are possible", name_, length,
                                               kMinFrameBytes, kMaxFrameBytes));
  }
  if (in_end_ - in_begin_ - kLengthBytes < length) return std::span<const uint8_t>();
  const std::span<const uint8_t> frame(in_.data() + in_begin_ + kLengthBytes, length);
  in_begin_ += kLengthBytes + length;
  return frame;
}

}  // namespace vmm
