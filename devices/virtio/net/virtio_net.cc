#include "devices/virtio/net/virtio_net.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "devices/virtio/abi/virtio_net_abi.h"

namespace vmm {
namespace {

// With a large MTU Linux gives each receive buffer 64 KiB, so this ring holds 8 MiB of the guest's memory.
constexpr std::array<uint16_t, 2> kQueueSizes = {128, 256};

// Frames from the host in one go, so that the guest's own frames have their turn.
constexpr int kReceiveBatch = 64;

}  // namespace

VirtioNet::VirtioNet(MacAddress mac, uint16_t mtu, std::unique_ptr<FrameLink> link)
    : mac_(mac), mtu_(mtu), link_(std::move(link)), tx_frame_(kMaxFrameBytes) {}

uint32_t VirtioNet::id() const { return kVirtioIdNet; }
uint64_t VirtioNet::features() const { return kVirtioNetFMac | (mtu_ != 0 ? kVirtioNetFMtu : 0); }
std::span<const uint16_t> VirtioNet::queue_sizes() const { return kQueueSizes; }

void VirtioNet::ReadConfig(uint64_t offset, std::span<uint8_t> data) {
  VirtioNetConfig config = {};
  std::ranges::copy(mac_, config.mac);
  config.mtu = mtu_;
  const std::span<const uint8_t> bytes = BytesOf(config);
  for (size_t i = 0; i < data.size(); ++i) {
    data[i] = offset < bytes.size() && i < bytes.size() - offset ? bytes[offset + i] : 0;
  }
}

absl::Status VirtioNet::Activate(uint64_t /*features*/, std::span<Virtqueue* const> queues, IoLoop& loop) {
  if (queues.size() != kQueueSizes.size() || queues[kVirtioNetReceiveq] == nullptr ||
      queues[kVirtioNetTransmitq] == nullptr) {
    return absl::FailedPreconditionError("virtio-net: the driver must set up both queues");
  }
  receiveq_ = queues[kVirtioNetReceiveq];
  transmitq_ = queues[kVirtioNetTransmitq];
  loop_ = &loop;
  Watch();
  return absl::OkStatus();
}

void VirtioNet::OnQueue(int index) {
  if (paused_ || failed_ || loop_ == nullptr) return;
  if (index == kVirtioNetTransmitq) {
    Transmit();
  } else {
    Receive();
  }
  Watch();
}

// A frame is copied in one go, so nothing is ever half-way in the guest's memory.
void VirtioNet::Drain() {
  paused_ = true;
  Watch();
}

void VirtioNet::Resume() {
  paused_ = false;
  if (loop_ == nullptr) return;
  OnQueue(kVirtioNetTransmitq);
  OnQueue(kVirtioNetReceiveq);
}

void VirtioNet::Reset() {
  receiveq_ = nullptr;
  transmitq_ = nullptr;
  loop_ = nullptr;
  watched_ = 0;
  tx_bytes_ = 0;
  tx_busy_ = false;
  rx_starved_ = false;
  rx_chain_.reset();
  rx_frame_.clear();
}

void VirtioNet::OnLink(uint32_t events) {
  if (paused_ || failed_ || loop_ == nullptr) return;
  if ((events & EPOLLOUT) != 0) Transmit();
  if (!failed_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Receive();
  Watch();
}

// True if the link has taken everything so far.
bool VirtioNet::SendPending() {
  absl::StatusOr<bool> sent = link_->Flush();
  if (sent.ok() && *sent && tx_bytes_ != 0) {
    sent = link_->Send({tx_frame_.data(), tx_bytes_});
    if (sent.ok() && *sent) {
      tx_bytes_ = 0;
      sent = link_->Flush();
    }
  }
  if (!sent.ok()) Fail(sent.status());
  tx_busy_ = !sent.ok() || !*sent;
  return !tx_busy_;
}

void VirtioNet::Transmit() {
  bool pushed = false;
  while (SendPending()) {
    std::optional<DescriptorChain> chain = transmitq_->Pop();
    if (!chain.has_value()) break;
    VirtioNetHdr header;
    // The header asks for nothing that was not negotiated, so its content does not matter.
    const uint64_t bytes = chain->readable_bytes();
    const bool fits = bytes >= sizeof header + kMinFrameBytes && bytes <= sizeof header + kMaxFrameBytes;
    if (fits && chain->ReadObject(header)) tx_bytes_ = chain->Read(tx_frame_);
    transmitq_->Push(*chain, 0);
    pushed = true;
  }
  if (pushed) transmitq_->Interrupt();
}

void VirtioNet::Receive() {
  bool delivered = false;
  for (int i = 0; i < kReceiveBatch && !failed_; ++i) {
    std::span<const uint8_t> frame = rx_frame_;
    if (frame.empty()) {
      absl::StatusOr<std::span<const uint8_t>> next = link_->Receive();
      if (!next.ok()) {
        Fail(next.status());
        break;
      }
      frame = *next;
      if (frame.empty()) break;
    }
    rx_starved_ = !Deliver(frame);
    if (rx_starved_) {
      if (rx_frame_.empty()) rx_frame_.assign(frame.begin(), frame.end());
      break;
    }
    rx_frame_.clear();
    delivered = true;
    // The link may hold more frames than its descriptor shows.
    if (i == kReceiveBatch - 1) loop_->After(absl::ZeroDuration(), [this] { OnLink(EPOLLIN); });
  }
  if (delivered) receiveq_->Interrupt();
}

bool VirtioNet::Deliver(std::span<const uint8_t> frame) {
  if (!rx_chain_.has_value()) rx_chain_ = receiveq_->Pop();
  if (!rx_chain_.has_value()) return false;
  if (rx_chain_->writable_bytes() < sizeof(VirtioNetHdr) + frame.size()) {
    // A buffer without room for the smallest frame would stop the queue for ever.
    const bool useless = rx_chain_->writable_bytes() < sizeof(VirtioNetHdr) + kMinFrameBytes;
    if (useless) {
      receiveq_->Push(*rx_chain_, 0);
      rx_chain_.reset();
    }
    return true;
  }
  VirtioNetHdr header = {};
  header.num_buffers = 1;
  rx_chain_->WriteObject(header);
  rx_chain_->Write(frame);
  receiveq_->Push(*rx_chain_, static_cast<uint32_t>(sizeof header + frame.size()));
  rx_chain_.reset();
  return true;
}

// Waits for what is missing, and for nothing else: a link that stays ready must not wake the thread again and again.
void VirtioNet::Watch() {
  if (loop_ == nullptr) return;
  uint32_t events = 0;
  if (!rx_starved_) events |= EPOLLIN;
  if (tx_busy_) events |= EPOLLOUT;
  if (paused_ || failed_) events = 0;
  if (std::exchange(watched_, events) == events) return;
  if (events == 0) {
    loop_->Unwatch(link_->fd());
  } else {
    loop_->Watch(link_->fd(), events, [this](uint32_t ready) { OnLink(ready); });
  }
}

void VirtioNet::Fail(const absl::Status& why) {
  failed_ = true;
  LogWarning(absl::StrCat("virtio-net: no frame passes any more: ", why.message()));
}

}  // namespace vmm
