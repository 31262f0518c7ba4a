#include "vmm/harness/program_channel.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<ProgramChannel>> ProgramChannel::Create(GuestMemory& memory, Wiring wiring) {
  ASSIGN_OR_RETURN(const std::span<uint8_t> pages, memory.Span({GuestAddr{CHANNEL_ADDRESS}, CHANNEL_SIZE}));
  auto& header = *new (pages.data()) ChannelHeader{};
  header.magic = CHANNEL_MAGIC;
  std::unique_ptr<ProgramChannel> channel(
      new ProgramChannel(header, pages.subspan(CHANNEL_STDIN_OFFSET, CHANNEL_STDIN_SIZE), std::move(wiring)));
  const Wiring& to = channel->wiring_;
  ASSIGN_OR_RETURN(channel->stdout_,
                   OutputStream::Start(header.stdout_ring, pages.subspan(CHANNEL_STDOUT_OFFSET, CHANNEL_STDOUT_SIZE),
                                       to.stdout_fd, "standard output", to.ring_guest, to.on_stdout));
  ASSIGN_OR_RETURN(channel->stderr_,
                   OutputStream::Start(header.stderr_ring, pages.subspan(CHANNEL_STDERR_OFFSET, CHANNEL_STDERR_SIZE),
                                       to.stderr_fd, "standard error", to.ring_guest, to.on_stderr));
  return channel;
}

void ProgramChannel::OnDoorbell() {
  stdout_->Carry();
  stderr_->Carry();
  if (input_full_.exchange(false)) wiring_.on_room();
}

size_t ProgramChannel::Offer(std::span<const uint8_t> bytes) {
  ChannelRing& ring = header_.stdin_ring;
  if (input_broken_ || std::atomic_ref(ring.consumer_gone).load(std::memory_order_acquire) != 0) return bytes.size();
  // Said before the look: a guest that makes room after it rings for that.
  input_full_.store(true);
  const uint32_t waiting = produced_ - std::atomic_ref(ring.consumed).load(std::memory_order_seq_cst);
  if (waiting > input_.size()) {
    input_broken_ = true;
    LogWarning("the program's standard input ends here: the guest broke its ring");
    return bytes.size();
  }
  const size_t taken = std::min<size_t>(bytes.size(), input_.size() - waiting);
  if (taken == bytes.size()) input_full_.store(false);
  if (taken == 0) return 0;
  const size_t at = produced_ % input_.size();
  const size_t first = std::min(taken, input_.size() - at);
  std::memcpy(input_.data() + at, bytes.data(), first);
  std::memcpy(input_.data(), bytes.data() + first, taken - first);
  produced_ += static_cast<uint32_t>(taken);
  std::atomic_ref(ring.produced).store(produced_, std::memory_order_release);
  wiring_.ring_guest();
  return taken;
}

void ProgramChannel::SetWindow(uint16_t rows, uint16_t columns) {
  std::atomic_ref(header_.rows).store(rows, std::memory_order_relaxed);
  std::atomic_ref(header_.columns).store(columns, std::memory_order_release);
  wiring_.ring_guest();
}

void ProgramChannel::EndInput() {
  std::atomic_ref(header_.stdin_ring.ended).store(1, std::memory_order_release);
  wiring_.ring_guest();
}

uint64_t ProgramChannel::said() const {
  return uint64_t{std::atomic_ref(header_.stdout_ring.produced).load(std::memory_order_relaxed)} +
         std::atomic_ref(header_.stderr_ring.produced).load(std::memory_order_relaxed);
}

void ProgramChannel::Finish(int stop_fd, absl::Duration patience) {
  stdout_->Finish(stop_fd, patience);
  stderr_->Finish(stop_fd, patience);
}

ProgramEnd ProgramChannel::end() const {
  ProgramEnd end{.stage = std::atomic_ref(header_.stage).load(std::memory_order_acquire),
                 .error = static_cast<int>(header_.error & 0xfff),
                 .wait_status = header_.wait_status,
                 .text = ""};
  for (const char byte : std::string_view(header_.text, CHANNEL_TEXT_SIZE)) {
    if (byte == '\0') break;
    end.text += byte >= ' ' && byte < 0x7f ? byte : '?';
  }
  return end;
}

}  // namespace vmm
