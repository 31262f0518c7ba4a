#include "devices/virtio/console/virtio_console.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/bytes.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint16_t kDataQueueSize = 128, kControlQueueSize = 32;
constexpr absl::Duration kLeftoverPatience = absl::Seconds(1);

Virtqueue* QueueAt(std::span<Virtqueue* const> queues, int index) {
  return static_cast<size_t>(index) < queues.size() ? queues[static_cast<size_t>(index)] : nullptr;
}

}  // namespace

absl::Status VirtioConsole::CheckName(std::string_view name) {
  const auto is_good = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > kMaxName || !std::all_of(name.begin(), name.end(), is_good) || name == "." ||
      name == "..") {
    return absl::InvalidArgumentError(
        absl::StrFormat("a port's name has 1 to %d letters, digits, '.', '_' and '-'", kMaxName));
  }
  return absl::OkStatus();
}

VirtioConsole::VirtioConsole(std::vector<NamedPort> ports, std::function<void(std::string_view)> log)
    : log_(std::move(log)) {
  queue_sizes_ = {kDataQueueSize, kDataQueueSize, kControlQueueSize, kControlQueueSize};
  for (NamedPort& port : ports) {
    const uint32_t id = static_cast<uint32_t>(ports_.size()) + 1;
    ports_.push_back({.name = std::move(port.name), .end = std::move(port.end), .id = id});
    queue_sizes_.insert(queue_sizes_.end(), 2, kDataQueueSize);
  }
}

void VirtioConsole::ReadConfig(uint64_t offset, std::span<uint8_t> data) {
  const VirtioConsoleConfig config = {
      .cols = 0, .rows = 0, .max_nr_ports = static_cast<uint32_t>(queue_sizes_.size() / 2 - 1), .emerg_wr = 0};
  std::fill(data.begin(), data.end(), uint8_t{0});
  if (offset >= sizeof config) return;
  std::memcpy(data.data(), BytesOf(config).data() + offset, std::min<size_t>(data.size(), sizeof config - offset));
}

absl::Status VirtioConsole::Activate(uint64_t /*features*/, std::span<Virtqueue* const> queues, IoLoop& loop) {
  loop_ = &loop;
  control_rx_ = QueueAt(queues, kConsoleControlRx);
  control_tx_ = QueueAt(queues, kConsoleControlTx);
  port0_tx_ = QueueAt(queues, kConsolePort0Tx);
  for (Port& port : ports_) {
    port.rx = QueueAt(queues, ConsoleRxQueue(static_cast<int>(port.id)));
    port.tx = QueueAt(queues, ConsoleTxQueue(static_cast<int>(port.id)));
    if (port.end.listener_fd() >= 0) {
      loop.Watch(port.end.listener_fd(), EPOLLIN | EPOLLET, [this, &port](uint32_t) { TakeClient(port); });
    }
    WatchStream(port);
  }
  return absl::OkStatus();
}

void VirtioConsole::Reset() {
  loop_ = nullptr;
  control_rx_ = control_tx_ = port0_tx_ = nullptr;
  control_spare_.reset();
  leftovers_ = false;
  for (Port& port : ports_) {
    port.rx = port.tx = nullptr;
    port.filling.reset();
    port.writing.reset();
    port.ready = port.guest_open = port.owes_add = port.owes_name = port.owes_open = false;
  }
  const std::lock_guard lock(mutex_);
  waiting_.clear();
}

void VirtioConsole::OnQueue(int index) {
  if (index == kConsolePort0Tx) DropPort0();
  if (index == kConsoleControlRx) SendControl();
  if (index == kConsoleControlTx) TakeControl();
  for (Port& port : ports_) {
    if (index == ConsoleRxQueue(static_cast<int>(port.id))) ReadIn(port);
    if (index == ConsoleTxQueue(static_cast<int>(port.id))) WriteOut(port);
  }
}

void VirtioConsole::DropPort0() {
  while (port0_tx_ != nullptr) {
    std::optional<DescriptorChain> chain = port0_tx_->Pop();
    if (!chain.has_value()) break;
    port0_tx_->Push(*chain, 0);
  }
  if (port0_tx_ != nullptr) port0_tx_->Interrupt();
}

// ---- Control

void VirtioConsole::TakeControl() {
  if (control_tx_ == nullptr) return;
  while (std::optional<DescriptorChain> chain = control_tx_->Pop()) {
    VirtioConsoleControl message;
    if (chain->ReadObject(message)) TakeMessage(message);
    control_tx_->Push(*chain, 0);
  }
  control_tx_->Interrupt();
  SendControl();
}

void VirtioConsole::TakeMessage(const VirtioConsoleControl& message) {
  if (message.event == kConsoleDeviceReady) {
    for (Port& port : ports_) port.owes_add = message.value == 1;
    return;
  }
  if (message.id == 0 || message.id > ports_.size()) return;
  Port& port = ports_[message.id - 1];
  if (message.event == kConsolePortReady) {
    port.ready = port.owes_name = message.value == 1;
    port.owes_open = port.ready && port.end.connected();
  } else if (message.event == kConsolePortOpen) {
    port.guest_open = message.value == 1;
    ReadIn(port);
  }
}

void VirtioConsole::SendControl() {
  if (control_rx_ == nullptr || leftovers_) return;
  bool any = false;
  for (Port& port : ports_) {
    while (port.owes_add || port.owes_name || port.owes_open) {
      if (!control_spare_.has_value()) control_spare_ = control_rx_->Pop();
      if (!control_spare_.has_value()) {
        if (any) control_rx_->Interrupt();
        return;  // the guest notifies when it has refilled its queue
      }
      SendOne(port);
      any = true;
    }
  }
  if (any) control_rx_->Interrupt();
}

void VirtioConsole::SendOne(Port& port) {
  if (std::exchange(port.owes_add, false)) {
    PushControl({port.id, kConsoleDeviceAdd, 1}, "");
  } else if (std::exchange(port.owes_name, false)) {
    PushControl({port.id, kConsolePortName, 1}, port.name);
  } else if (std::exchange(port.owes_open, false)) {
    PushControl({port.id, kConsolePortOpen, port.end.connected() ? uint16_t{1} : uint16_t{0}}, "");
  }
}

void VirtioConsole::PushControl(VirtioConsoleControl message, std::string_view text) {
  size_t written = control_spare_->Write(BytesOf(message));
  written += control_spare_->Write(BytesOfText(text));
  control_rx_->Push(*control_spare_, static_cast<uint32_t>(written));
  control_spare_.reset();
}

// ---- The bytes of ports

void VirtioConsole::WriteOut(Port& port) {
  if (port.tx == nullptr) return;
  bool any = false;
  while (true) {
    if (!port.writing.has_value()) port.writing = port.tx->Pop();
    if (!port.writing.has_value()) break;
    while (port.writing->readable_bytes() > 0 && port.end.connected()) {
      const ssize_t done = port.end.Write(port.writing->readable());
      if (done < 0 && errno == EAGAIN) break;
      if (done <= 0) {
        Fail(port, errno);
        break;
      }
      port.writing->TakeReadable(static_cast<uint64_t>(done));
    }
    if (port.writing->readable_bytes() > 0 && port.end.connected() && !port.failed) break;
    port.tx->Push(*port.writing, 0);
    port.writing.reset();
    any = true;
  }
  if (any) port.tx->Interrupt();
  const std::lock_guard lock(mutex_);
  const int queue = ConsoleTxQueue(static_cast<int>(port.id));
  std::erase_if(waiting_, [queue](const RequestInFlight& request) { return request.queue == queue; });
  if (port.writing.has_value()) {
    waiting_.push_back(
        {.queue = queue,
         .chain = port.writing->id(),
         .words = absl::StrFormat("write %d bytes to port %s", port.writing->readable_bytes(), port.name)});
  }
}

void VirtioConsole::ReadIn(Port& port) {
  if (port.rx == nullptr || leftovers_) return;
  bool any = false;
  while (port.guest_open && port.readable && port.end.can_read()) {
    if (!port.filling.has_value()) port.filling = port.rx->Pop();
    if (!port.filling.has_value()) break;  // the guest notifies when it has refilled its queue
    if (port.filling->writable_bytes() > 0) {
      const ssize_t got = port.end.Read(port.filling->writable());
      if (got < 0 && errno == EAGAIN) {
        port.readable = false;
        break;
      }
      if (got <= 0) {
        DropClient(port);
        break;
      }
      port.rx->Push(*port.filling, static_cast<uint32_t>(got));
    } else {
      port.rx->Push(*port.filling, 0);
    }
    port.filling.reset();
    any = true;
  }
  if (any) port.rx->Interrupt();
}

void VirtioConsole::WatchStream(Port& port) {
  if (!port.end.connected()) return;
  port.readable = true;
  const int fd = port.end.stream_fd();
  if (fd < 0) return;
  loop_->Watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, [this, &port](uint32_t events) {
    // Its client is gone, and left nothing to read.
    if ((events & EPOLLHUP) != 0 && !port.guest_open && port.end.listener_fd() >= 0) {
      DropClient(port);
      return;
    }
    if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) port.readable = true;
    WriteOut(port);
    ReadIn(port);
  });
}

void VirtioConsole::TakeClient(Port& port) {
  if (!port.end.Accept()) return;
  port.failed = false;
  WatchStream(port);
  port.owes_open = port.ready;
  SendControl();
}

// The end of what the host sends. A socket's client is replaced by the next; other ends go on taking bytes.
void VirtioConsole::DropClient(Port& port) {
  if (port.end.listener_fd() < 0) {
    port.readable = false;
    return;
  }
  loop_->Unwatch(port.end.stream_fd());
  port.end.Disconnect();
  port.readable = false;
  port.owes_open = port.ready;
  SendControl();
  WriteOut(port);
  TakeClient(port);
}

void VirtioConsole::Fail(Port& port, int error) {
  if (!port.failed && port.end.listener_fd() < 0) {
    log_(absl::StrFormat("port %s: %s; what the guest writes there from now on is lost", port.name,
                         ErrnoStatus(error, "write").message()));
  }
  port.failed = true;
}

void VirtioConsole::TakeLeftovers() {
  leftovers_ = true;
  const absl::Time deadline = absl::Now() + kLeftoverPatience;
  for (Port& port : ports_) {
    WriteOut(port);
    while (port.writing.has_value() && absl::Now() < deadline) {
      pollfd room = {port.end.stream_fd(), POLLOUT, 0};
      if (poll(&room, 1, static_cast<int>(absl::ToInt64Milliseconds(deadline - absl::Now())) + 1) < 0) break;
      WriteOut(port);
    }
  }
}

std::vector<RequestInFlight> VirtioConsole::InFlight() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace vmm
