#include "devices/virtio/vsock/virtio_vsock.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint32_t kEdges = static_cast<uint32_t>(EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
constexpr size_t kMaxConnectLine = 32;  // "CONNECT 4294967295\n" and some blanks
constexpr size_t kMaxData = 64 << 10;   // of one packet to the guest, in bytes

// The port of "CONNECT 1234".
std::optional<uint32_t> PortOf(std::string_view line) {
  constexpr std::string_view kWord = "CONNECT ";
  if (!line.starts_with(kWord)) return std::nullopt;
  line.remove_prefix(kWord.size());
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  uint32_t port;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), port);
  if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
  return port;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VirtioVsock>> VirtioVsock::Create(const std::string& path) {
  // The guest's calls go to PATH_PORT, which must be a socket's path too.
  constexpr size_t kLongest = kMaxSocketPath - sizeof "_4294967295" + 1;
  if (path.size() > kLongest) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the path has %d bytes; %d are the most, because _PORT is added to it", path.size(), kLongest));
  }
  ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Listen(path));
  return std::unique_ptr<VirtioVsock>(new VirtioVsock(std::move(listener), path));
}

void VirtioVsock::ReadConfig(uint64_t offset, std::span<uint8_t> data) {
  const VirtioVsockConfig config = {.guest_cid = kGuestCid};
  std::fill(data.begin(), data.end(), uint8_t{0});
  if (offset >= sizeof config) return;
  std::memcpy(data.data(), BytesOf(config).data() + offset, std::min<size_t>(data.size(), sizeof config - offset));
}

absl::Status VirtioVsock::Activate(uint64_t /*features*/, std::span<Virtqueue* const> queues, IoLoop& loop) {
  loop_ = &loop;
  rx_ = queues.size() > kRx ? queues[kRx] : nullptr;
  tx_ = queues.size() > kTx ? queues[kTx] : nullptr;
  scratch_.resize(kMaxData);
  loop.Watch(listener_.fd(), EPOLLIN | EPOLLET, [this](uint32_t) {
    backlog_ = true;
    AcceptPrograms();
  });
  return absl::OkStatus();
}

void VirtioVsock::Reset() {
  loop_ = nullptr;
  rx_ = tx_ = nullptr;
  spare_.reset();
  leftovers_ = false;
  streams_.clear();
  ready_.clear();
  is_ready_.clear();
  strays_.clear();
  callers_.clear();
  lingering_.clear();
  patience_runs_ = false;  // the timer went with the loop
}

void VirtioVsock::OnQueue(int index) {
  if (index == kTx) TakePackets();
  if (index == kRx) {
    SendPackets();
    TakePackets();  // may have stopped because of strays
  }
}

void VirtioVsock::TakeLeftovers() {
  leftovers_ = true;
  TakePackets();
}

// ---- From the guest

void VirtioVsock::TakePackets() {
  bool more = tx_ != nullptr;
  while (more && strays_.size() < kMaxStrays) {
    more = TakeSome();
    SendPackets();  // makes room for strays if the guest takes them
  }
}

bool VirtioVsock::TakeSome() {
  bool any = false;
  while (strays_.size() < kMaxStrays) {
    std::optional<DescriptorChain> chain = tx_->Pop();
    VirtioVsockHdr header;
    if (chain.has_value() && !chain->ReadObject(header)) {
      tx_->Break(absl::InvalidArgumentError("a vsock packet is shorter than its header of 44 bytes"));
      return false;
    }
    if (!chain.has_value()) {
      if (any) tx_->Interrupt();
      return false;
    }
    TakePacket(header, *chain);
    tx_->Push(*chain, 0);
    any = true;
  }
  tx_->Interrupt();
  return true;
}

void VirtioVsock::TakePacket(const VirtioVsockHdr& header, DescriptorChain& chain) {
  if (header.src_cid != kGuestCid) return;  // an answer would go to somebody else
  if (header.dst_cid != kVsockHostCid || header.type != kVsockTypeStream || header.len > chain.readable_bytes()) {
    Refuse(header);
    return;
  }
  const auto found = streams_.find({header.src_port, header.dst_port});
  if (found != streams_.end()) {
    TakeForStream(header, chain, *found->second);
  } else if (header.op == kVsockOpRequest) {
    OpenForGuest(header);
  } else {
    Refuse(header);
  }
}

void VirtioVsock::Refuse(const VirtioVsockHdr& header) {
  if (header.op == kVsockOpRst) return;
  VirtioVsockHdr answer = {};
  answer.src_cid = header.dst_cid;
  answer.src_port = header.dst_port;
  answer.dst_port = header.src_port;
  answer.type = header.type;
  answer.op = kVsockOpRst;
  strays_.push_back(answer);
}

void VirtioVsock::OpenForGuest(const VirtioVsockHdr& header) {
  absl::StatusOr<UniqueFd> socket = full() ? absl::ResourceExhaustedError("too many streams")
                                           : ConnectUnix(absl::StrFormat("%s_%d", path_, header.dst_port));
  if (!socket.ok()) {
    Refuse(header);
    return;
  }
  auto stream =
      std::make_unique<VsockStream>(*std::move(socket), header.src_port, header.dst_port, VsockStream::State::kOpen);
  stream->NoteCredit(header);
  stream->owes_response = true;
  WatchStream(*stream);
  Ready(*stream);
  streams_[{header.src_port, header.dst_port}] = std::move(stream);
}

void VirtioVsock::TakeForStream(const VirtioVsockHdr& header, DescriptorChain& chain, VsockStream& stream) {
  using State = VsockStream::State;
  const Key key = {stream.guest_port, stream.host_port};
  if (stream.state == State::kDead) return;  // RST is on its way
  stream.NoteCredit(header);
  bool valid = stream.state == State::kOpen;
  switch (header.op) {
    case kVsockOpResponse:
      valid = stream.state == State::kAskingGuest;
      if (!valid) break;
      stream.state = State::kOpen;
      stream.SendLine(absl::StrFormat("OK %d\n", stream.host_port));
      break;
    case kVsockOpRst: Retire(key); return;
    case kVsockOpRw: valid = valid && stream.TakeFromGuest(chain, header.len) && stream.Flush(); break;
    case kVsockOpShutdown:
      if (!valid || !stream.NoteGuestShutdown(header.flags)) break;
      Retire(key);
      Refuse(header);  // the guest waits for this RST before it frees its port
      return;
    case kVsockOpCreditUpdate: break;
    case kVsockOpCreditRequest: stream.owes_credit = true; break;
    default: valid = false;  // a second REQUEST too: the guest has forgotten this stream
  }
  if (!valid) stream.state = State::kDead;
  Ready(stream);
}

// ---- To the guest

void VirtioVsock::Ready(const VsockStream& stream) {
  const Key key = {stream.guest_port, stream.host_port};
  if (is_ready_.insert(key).second) ready_.push_back(key);
}

void VirtioVsock::SendPackets() {
  if (rx_ == nullptr || leftovers_) return;
  bool any = false;
  while (!strays_.empty() || !ready_.empty()) {
    if (!spare_.has_value()) spare_ = rx_->Pop();
    if (!spare_.has_value()) break;  // the guest notifies when it has refilled its queue
    if (spare_->writable_bytes() < sizeof(VirtioVsockHdr)) {
      rx_->Break(absl::InvalidArgumentError(
          absl::StrFormat("a vsock receive buffer of %d bytes has no room for a header", spare_->writable_bytes())));
      spare_.reset();
      return;
    }
    if (!strays_.empty()) {
      SendHeader(*spare_, strays_.front(), {});
      strays_.pop_front();
      spare_.reset();
      any = true;
      continue;
    }
    // One packet a turn: a stream with much to say does not delay the others.
    const Key key = ready_.front();
    ready_.pop_front();
    is_ready_.erase(key);
    const auto found = streams_.find(key);
    if (found == streams_.end()) continue;
    if (!SendOne(*found->second, *spare_)) continue;
    spare_.reset();
    any = true;
    if (found->second->state == VsockStream::State::kDead) {
      Retire(key);
    } else {
      Ready(*found->second);
    }
  }
  if (any) rx_->Interrupt();
}

bool VirtioVsock::SendOne(VsockStream& stream, DescriptorChain& chain) {
  VirtioVsockHdr header = {};
  size_t data = 0;
  if (stream.state == VsockStream::State::kDead) {
    header.op = kVsockOpRst;
  } else if (stream.owes_request) {
    header.op = kVsockOpRequest;
    stream.owes_request = false;
  } else if (stream.owes_response) {
    header.op = kVsockOpResponse;
    stream.owes_response = false;
  } else if (const size_t room = std::min<size_t>(chain.writable_bytes() - sizeof header, kMaxData);
             (data = stream.ReadForGuest({scratch_.data(), room})) > 0) {
    header.op = kVsockOpRw;
    header.len = static_cast<uint32_t>(data);
  } else if (stream.owes_shutdown) {
    header.op = kVsockOpShutdown;
    header.flags = stream.our_shutdown();
    stream.owes_shutdown = false;
  } else if (stream.owes_credit) {
    header.op = kVsockOpCreditUpdate;
  } else {
    return false;
  }
  stream.FillHeader(header);
  SendHeader(chain, header, {scratch_.data(), data});
  return true;
}

void VirtioVsock::SendHeader(DescriptorChain& chain, VirtioVsockHdr header, std::span<const uint8_t> data) {
  header.dst_cid = kGuestCid;
  chain.WriteObject(header);
  chain.Write(data);
  rx_->Push(chain, static_cast<uint32_t>(sizeof header + data.size()));
}

// ---- Programs of the host

void VirtioVsock::AcceptPrograms() {
  while (backlog_ && !full()) {
    UniqueFd caller = listener_.Accept();
    if (!caller.valid()) {
      backlog_ = false;
      break;
    }
    const int fd = caller.get();
    callers_[fd].socket = std::move(caller);
    loop_->Watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET, [this, fd](uint32_t) { ReadConnectLine(fd); });
    StartPatience();
  }
}

void VirtioVsock::ReadConnectLine(int fd) {
  std::array<char, kMaxConnectLine> bytes;
  // Only looks: what follows the line is data for the guest.
  const ssize_t got = recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const std::string_view text(bytes.data(), got > 0 ? static_cast<size_t>(got) : 0);
  const size_t end = text.find('\n');
  if (end == text.npos && got > 0 && text.size() < bytes.size()) return;  // the rest is to come
  loop_->Unwatch(fd);
  UniqueFd caller = std::move(callers_.at(fd).socket);
  callers_.erase(fd);
  const std::optional<uint32_t> port = end == text.npos ? std::nullopt : PortOf(text.substr(0, end));
  if (!port.has_value()) {  // it closes
    AcceptPrograms();
    return;
  }
  recv(fd, bytes.data(), end + 1, MSG_DONTWAIT);
  auto stream =
      std::make_unique<VsockStream>(std::move(caller), *port, FreeHostPort(*port), VsockStream::State::kAskingGuest);
  stream->owes_request = true;
  WatchStream(*stream);
  Ready(*stream);
  streams_[{stream->guest_port, stream->host_port}] = std::move(stream);
  SendPackets();
}

void VirtioVsock::StartPatience() {
  if (std::exchange(patience_runs_, true)) return;
  loop_->After(kPatienceStep, [this] {
    patience_runs_ = false;
    if (loop_ != nullptr) PatienceStep();
  });
}

void VirtioVsock::PatienceStep() {
  bool more = false;
  for (auto at = callers_.begin(); at != callers_.end();) {
    if (++at->second.steps <= kStepsToConnect) {
      more = true;
      ++at;
      continue;
    }
    loop_->Unwatch(at->first);
    at = callers_.erase(at);
  }
  std::vector<Key> late;
  for (const auto& [key, stream] : streams_) {
    if (stream->state != VsockStream::State::kAskingGuest) continue;
    if (++stream->steps_asked > kStepsToAnswer) late.push_back(key);
    more = true;
  }
  for (const Key& key : late) GiveUp(key);
  if (more) StartPatience();
  AcceptPrograms();
  SendPackets();
}

void VirtioVsock::GiveUp(Key key) {
  VsockStream& stream = *streams_.at(key);
  // The stream's place is free at once, also if the guest takes no packets.
  if (!stream.owes_request && strays_.size() < kMaxStrays) {
    VirtioVsockHdr rst = {};
    rst.op = kVsockOpRst;
    stream.FillHeader(rst);
    strays_.push_back(rst);
  } else if (!stream.owes_request) {
    stream.state = VsockStream::State::kDead;
    Ready(stream);
    return;
  }
  Retire(key);
}

uint32_t VirtioVsock::FreeHostPort(uint32_t guest_port) {
  while (streams_.contains({guest_port, next_host_port_})) ++next_host_port_;
  const uint32_t port = next_host_port_++;
  if (next_host_port_ == 0) next_host_port_ = 1u << 30;
  return port;
}

void VirtioVsock::WatchStream(const VsockStream& stream) {
  const Key key = {stream.guest_port, stream.host_port};
  loop_->Watch(stream.fd(), kEdges, [this, key](uint32_t events) { StreamEvent(key, events); });
}

void VirtioVsock::StreamEvent(Key key, uint32_t events) {
  VsockStream& stream = *streams_.at(key);
  stream.NoteEvents(events);
  if (stream.has_waiting() && (events & (EPOLLOUT | EPOLLHUP)) != 0 && !stream.Flush()) {
    stream.state = VsockStream::State::kDead;
  }
  Ready(stream);
  SendPackets();
}

void VirtioVsock::Retire(Key key) {
  const auto found = streams_.find(key);
  std::unique_ptr<VsockStream> stream = std::move(found->second);
  streams_.erase(found);
  const int fd = stream->fd();
  if (stream->has_waiting() && stream->Flush() && stream->has_waiting()) {
    lingering_[fd] = std::move(stream);
    loop_->Watch(fd, kEdges, [this, fd](uint32_t) { LingerEvent(fd); });
    return;
  }
  loop_->Unwatch(fd);
  stream.reset();
  AcceptPrograms();
}

void VirtioVsock::LingerEvent(int fd) {
  VsockStream& stream = *lingering_.at(fd);
  if (stream.Flush() && stream.has_waiting()) return;
  loop_->Unwatch(fd);
  lingering_.erase(fd);
  AcceptPrograms();
}

}  // namespace vmm
