#include "devices/virtio/vsock/vsock_stream.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <vector>

namespace vmm {
namespace {

// Sends without waiting. -1 and EAGAIN: not now.
ssize_t Send(int fd, std::span<const iovec> parts) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = std::min<size_t>(parts.size(), IOV_MAX);
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

void VsockStream::NoteCredit(const VirtioVsockHdr& header) {
  peer_buf_alloc_ = header.buf_alloc;
  peer_fwd_cnt_ = header.fwd_cnt;
}

void VsockStream::FillHeader(VirtioVsockHdr& header) {
  header.src_cid = kVsockHostCid;
  header.src_port = host_port;
  header.dst_port = guest_port;
  header.type = kVsockTypeStream;
  header.buf_alloc = kBufAlloc;
  header.fwd_cnt = fwd_cnt_;
  told_fwd_cnt_ = fwd_cnt_;
  owes_credit = false;
}

bool VsockStream::TakeFromGuest(DescriptorChain& chain, uint32_t len) {
  if ((guest_shutdown_ & kVsockShutdownSend) != 0) return false;
  if (len > kBufAlloc - (rx_cnt_ - fwd_cnt_)) return false;
  rx_cnt_ += len;
  std::vector<iovec> parts = chain.TakeReadable(len);
  size_t at = 0;
  if (!has_waiting()) {
    const ssize_t sent = Send(fd(), parts);
    size_t done = sent > 0 ? static_cast<size_t>(sent) : 0;
    fwd_cnt_ += static_cast<uint32_t>(done);
    while (at < parts.size() && done >= parts[at].iov_len) done -= parts[at++].iov_len;
    if (at < parts.size()) {
      parts[at].iov_base = static_cast<uint8_t*>(parts[at].iov_base) + done;
      parts[at].iov_len -= done;
    }
  }
  if (waiting_at_ >= kBufAlloc) {
    waiting_.erase(0, waiting_at_);
    waiting_at_ = 0;
  }
  for (; at < parts.size(); ++at) waiting_.append(static_cast<const char*>(parts[at].iov_base), parts[at].iov_len);
  // Half the buffer is enough for the guest to go on with.
  if (fwd_cnt_ - told_fwd_cnt_ >= kBufAlloc / 2) owes_credit = true;
  return true;
}

bool VsockStream::Flush() {
  while (has_waiting()) {
    const iovec rest = {waiting_.data() + waiting_at_, waiting_.size() - waiting_at_};
    const ssize_t sent = Send(fd(), {&rest, 1});
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) return true;
    if (sent <= 0) return false;
    waiting_at_ += static_cast<size_t>(sent);
    fwd_cnt_ += static_cast<uint32_t>(sent);
    if (fwd_cnt_ - told_fwd_cnt_ >= kBufAlloc / 2) owes_credit = true;
  }
  waiting_.clear();
  waiting_at_ = 0;
  if ((guest_shutdown_ & kVsockShutdownSend) != 0) shutdown(fd(), SHUT_WR);
  return true;
}

bool VsockStream::CanRead() const {
  return state == State::kOpen && readable_ && !eof_ && (guest_shutdown_ & kVsockShutdownRcv) == 0 &&
         tx_cnt_ - peer_fwd_cnt_ < peer_buf_alloc_;
}

size_t VsockStream::ReadForGuest(std::span<uint8_t> out) {
  if (!CanRead()) return 0;
  const size_t most = std::min<size_t>(out.size(), peer_buf_alloc_ - (tx_cnt_ - peer_fwd_cnt_));
  ssize_t got;
  do {
    got = recv(fd(), out.data(), most, MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    tx_cnt_ += static_cast<uint32_t>(got);
    return static_cast<size_t>(got);
  }
  if (got < 0 && errno == EAGAIN) {
    readable_ = false;
    return 0;
  }
  eof_ = true;
  EndProgramsSide(hung_up_ || got < 0 ? kVsockShutdownBoth : kVsockShutdownSend);
  return 0;
}

void VsockStream::EndProgramsSide(uint32_t flags) {
  owes_shutdown = owes_shutdown || (our_shutdown_ | flags) != our_shutdown_;
  our_shutdown_ |= flags;
}

void VsockStream::NoteEvents(uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  // Its data ended before, and now it takes none either.
  if (hung_up_ && eof_ && state == State::kOpen) EndProgramsSide(kVsockShutdownBoth);
}

bool VsockStream::NoteGuestShutdown(uint32_t flags) {
  guest_shutdown_ |= flags & kVsockShutdownBoth;
  if (!has_waiting() && (guest_shutdown_ & kVsockShutdownSend) != 0) shutdown(fd(), SHUT_WR);
  return guest_shutdown_ == kVsockShutdownBoth;
}

void VsockStream::SendLine(const std::string& line) const {
  send(fd(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace vmm
