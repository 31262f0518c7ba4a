#include "devices/virtio/p9/virtio_9p.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_9p_abi.h"

namespace vmm {
namespace {

constexpr std::array<uint16_t, 1> kQueueSizes = {128};
constexpr size_t kReadBytes = 256 << 10;
constexpr uint32_t kEio = 5;  // Linux's number, whatever the host's is

NinePHeader HeaderOf(std::span<const uint8_t> message) {
  NinePHeader header;
  std::memcpy(&header, message.data(), sizeof header);
  return header;
}

}  // namespace

Virtio9p::Virtio9p(std::string tag, Attach attach, UniqueFd socket)
    : tag_(std::move(tag)), attach_(std::move(attach)), socket_(std::move(socket)) {}

uint32_t Virtio9p::id() const { return kVirtioId9p; }
uint64_t Virtio9p::features() const { return kVirtio9pMountTag; }
std::span<const uint16_t> Virtio9p::queue_sizes() const { return kQueueSizes; }

void Virtio9p::ReadConfig(uint64_t offset, std::span<uint8_t> data) {
  const Virtio9pConfig config = {.tag_len = static_cast<uint16_t>(tag_.size())};
  const std::string bytes = StringOf(config) + tag_;
  for (size_t i = 0; i < data.size(); ++i) {
    const bool inside = offset < bytes.size() && i < bytes.size() - offset;
    data[i] = inside ? static_cast<uint8_t>(bytes[offset + i]) : 0;
  }
}

absl::Status Virtio9p::Activate(uint64_t /*features*/, std::span<Virtqueue* const> queues, IoLoop& loop) {
  if (queues.size() != kQueueSizes.size() || queues[0] == nullptr) {
    return absl::FailedPreconditionError("virtio-9p: the driver must set up its queue");
  }
  queue_ = queues[0];
  loop_ = &loop;
  Watch();
  return absl::OkStatus();
}

void Virtio9p::OnQueue(int /*index*/) {
  if (paused_ || failed_ || queue_ == nullptr) return;
  TakeRequests();
  Watch();
}

// An answer is copied in one go, so nothing is ever half-way in the guest's memory.
void Virtio9p::Drain() {
  paused_ = true;
  Watch();
}

void Virtio9p::Resume() {
  paused_ = false;
  OnQueue(0);
}

void Virtio9p::Reset() {
  queue_ = nullptr;
  loop_ = nullptr;
  watched_ = 0;
  waiting_.reset();
  std::lock_guard lock(mutex_);
  for (const auto& [tag, request] : requests_) stale_.insert(tag);
  requests_.clear();
}

std::vector<RequestInFlight> Virtio9p::InFlight() const {
  std::lock_guard lock(mutex_);
  std::vector<RequestInFlight> all;
  for (const auto& [tag, request] : requests_) {
    all.push_back({0, request.chain.id(), absl::StrFormat("9P message %d, tag %d", request.type, tag)});
  }
  return all;
}

void Virtio9p::OnSocket(uint32_t events) {
  if (paused_ || failed_ || queue_ == nullptr) return;
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) ReadAnswers();
  if (!failed_) TakeRequests();
  Watch();
}

void Virtio9p::TakeRequests() {
  while (!failed_ && Flush()) {
    std::optional<DescriptorChain> chain = std::exchange(waiting_, std::nullopt);
    if (!chain.has_value()) chain = queue_->Pop();
    if (!chain.has_value() || !Take(*std::move(chain)) || waiting_.has_value()) return;
  }
}

bool Virtio9p::Take(DescriptorChain chain) {
  // The tag is judged before the chain is consumed, on a copy that is also what the server gets.
  DescriptorChain reader = chain;
  NinePHeader header;
  if (reader.readable_bytes() > kMaxMessageBytes || !reader.ReadObject(header) || header.size < sizeof header ||
      header.size > reader.readable_bytes() + sizeof header) {
    queue_->Break(absl::InvalidArgumentError(absl::StrFormat(
        "a 9P message must be %d to %d bytes, and as long as it says: this one is in buffers of %d bytes",
        sizeof header, kMaxMessageBytes, chain.readable_bytes())));
    return false;
  }
  if (stale_.contains(header.tag)) {
    waiting_ = std::move(chain);
    return true;
  }
  std::lock_guard lock(mutex_);
  if (requests_.contains(header.tag)) {
    queue_->Break(absl::InvalidArgumentError(absl::StrFormat("two 9P messages in flight have the tag %d", header.tag)));
    return false;
  }
  out_.resize(header.size);
  out_sent_ = 0;
  std::memcpy(out_.data(), &header, sizeof header);
  reader.Read(std::span(out_).subspan(sizeof header));
  if (header.type == kNinePTattachType) RewriteAttach();
  const uint16_t tag = header.tag;
  requests_.emplace(tag, Request{header.type, std::move(chain)});
  return true;
}

// Works on the message in out_. One that is not laid out like a Tattach is left to the server's judgement.
void Virtio9p::RewriteAttach() {
  const auto end_of_string_at = [this](size_t at) { return at + 2 + out_[at] + 256u * out_[at + 1]; };
  if (out_.size() < kNinePTattachUname + 2) return;
  const size_t name_at = end_of_string_at(kNinePTattachUname);
  if (out_.size() < name_at + 2) return;
  const size_t user_at = end_of_string_at(name_at);
  if (out_.size() != user_at + sizeof attach_.user) return;
  std::memcpy(out_.data() + user_at, &attach_.user, sizeof attach_.user);
  const std::string name(out_.begin() + static_cast<std::ptrdiff_t>(name_at + 2),
                         out_.begin() + static_cast<std::ptrdiff_t>(user_at));
  if (!name.empty() && name != "/") return;
  const std::string folder = StringOf(static_cast<uint16_t>(attach_.folder.size())) + attach_.folder;
  const auto at = out_.begin() + static_cast<std::ptrdiff_t>(name_at);
  out_.insert(out_.erase(at, out_.begin() + static_cast<std::ptrdiff_t>(user_at)), folder.begin(), folder.end());
  const uint32_t size = static_cast<uint32_t>(out_.size());
  std::memcpy(out_.data(), &size, sizeof size);
}

// True if the server has got everything so far.
bool Virtio9p::Flush() {
  while (out_sent_ < out_.size()) {
    const ssize_t sent =
        send(socket_.get(), out_.data() + out_sent_, out_.size() - out_sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      if (errno != EAGAIN) Fail(ErrnoStatus(errno, "send a message to the 9P server"));
      return false;
    }
    out_sent_ += static_cast<size_t>(sent);
  }
  out_.clear();
  out_sent_ = 0;
  return true;
}

void Virtio9p::ReadAnswers() {
  const size_t had = in_.size();
  in_.resize(had + kReadBytes);
  const ssize_t got = recv(socket_.get(), in_.data() + had, kReadBytes, MSG_DONTWAIT);
  in_.resize(had + (got > 0 ? static_cast<size_t>(got) : 0));
  if (got == 0) return Fail(absl::UnavailableError("the 9P server closed its socket"));
  if (got < 0) {
    if (errno != EAGAIN && errno != EINTR) Fail(ErrnoStatus(errno, "receive a message from the 9P server"));
    return;
  }
  if (TakeAnswers()) queue_->Interrupt();
}

bool Virtio9p::TakeAnswers() {
  bool answered = false;
  size_t at = 0;
  while (in_.size() - at >= sizeof(NinePHeader)) {
    const NinePHeader header = HeaderOf(std::span(in_).subspan(at));
    if (header.size < sizeof header || header.size > kMaxMessageBytes) {
      Fail(absl::DataLossError(absl::StrFormat("the 9P server sent a message of %d bytes; %d to %d are possible",
                                               header.size, sizeof header, kMaxMessageBytes)));
      break;
    }
    if (in_.size() - at < header.size) break;
    std::unique_lock lock(mutex_);
    auto request = requests_.extract(header.tag);
    lock.unlock();
    if (!request.empty()) {
      Answer(std::move(request.mapped()), std::span(in_).subspan(at, header.size));
      answered = true;
    } else if (stale_.erase(header.tag) == 0) {
      Fail(absl::DataLossError(
          absl::StrFormat("the 9P server answered a message with tag %d, which nobody sent", header.tag)));
      break;
    }
    at += header.size;
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
  return answered;
}

void Virtio9p::Answer(Request request, std::span<const uint8_t> message) {
  const uint16_t tag = HeaderOf(message).tag;
  const NinePRlerror error = {.header = {.size = sizeof error, .type = kNinePRlerrorType, .tag = tag}, .ecode = kEio};
  // Half an answer would look like a whole one.
  if (message.size() > request.chain.writable_bytes()) message = BytesOf(error);
  const size_t written = message.size() <= request.chain.writable_bytes() ? request.chain.Write(message) : 0;
  queue_->Push(request.chain, static_cast<uint32_t>(written));
}

void Virtio9p::Watch() {
  if (loop_ == nullptr) return;
  uint32_t events = EPOLLIN | (out_.empty() ? 0u : static_cast<uint32_t>(EPOLLOUT));
  if (paused_ || failed_) events = 0;
  if (std::exchange(watched_, events) == events) return;
  if (events == 0) {
    loop_->Unwatch(socket_.get());
  } else {
    loop_->Watch(socket_.get(), events, [this](uint32_t ready) { OnSocket(ready); });
  }
}

void Virtio9p::Fail(const absl::Status& why) {
  failed_ = true;
  LogWarning(absl::StrCat("virtio-9p: tag ", tag_, ": nothing is answered any more: ", why.message()));
}

}  // namespace vmm
