#include "vmm/harness/output_stream.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<OutputStream>> OutputStream::Start(
    ChannelRing& ring, std::span<const uint8_t> bytes, int fd, std::string_view name, std::function<void()> ring_guest,
    std::function<void(std::span<const uint8_t>)> on_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<SharedOutput> output, SharedOutput::Open(fd));
  UniqueFd cancel(eventfd(0, EFD_CLOEXEC));
  if (!cancel.valid()) return ErrnoStatus(errno, "program's output: eventfd");
  std::unique_ptr<OutputStream> stream(
      new OutputStream(ring, bytes, name, std::move(ring_guest), std::move(output), std::move(cancel)));
  stream->on_bytes_ = std::move(on_bytes);
  stream->thread_ = std::thread([raw = stream.get()] { raw->WaitForReaders(); });
  return stream;
}

OutputStream::~OutputStream() { StopThread(); }

void OutputStream::Carry() {
  const std::lock_guard lock(mutex_);
  if (!stalled_ && !stopping_) CarryLocked();
}

void OutputStream::CarryLocked() {
  while (!ended_ && (written_ < fetched_.size() || Fetch())) {
    const ssize_t wrote = output_->WriteSome(std::span(fetched_).subspan(written_));
    if (wrote > 0) {
      written_ += static_cast<size_t>(wrote);
    } else if (errno == EAGAIN || errno == EINTR) {
      stalled_ = true;
      news_.notify_one();
      return;
    } else {
      End(errno == EPIPE ? "" : "its reader fails");  // a reader that left is no news to anybody
    }
  }
}

bool OutputStream::Fetch() {
  const uint32_t produced = std::atomic_ref(ring_.produced).load(std::memory_order_acquire);
  const uint32_t waiting = produced - consumed_;
  if (waiting == 0) return false;
  if (waiting > bytes_.size()) {
    End(absl::StrFormat("the guest broke its ring (%d bytes in a ring of %d)", waiting, bytes_.size()));
    return false;
  }
  fetched_.resize(waiting);
  written_ = 0;
  const size_t at = consumed_ % bytes_.size();
  const size_t first = std::min<size_t>(waiting, bytes_.size() - at);
  std::memcpy(fetched_.data(), bytes_.data() + at, first);
  std::memcpy(fetched_.data() + first, bytes_.data(), waiting - first);
  if (on_bytes_) on_bytes_(fetched_);
  consumed_ += waiting;
  std::atomic_ref(ring_.consumed).store(consumed_, std::memory_order_seq_cst);
  if (std::atomic_ref(ring_.producer_waits).load(std::memory_order_seq_cst) != 0) ring_guest_();
  return true;
}

void OutputStream::End(std::string_view why) {
  ended_ = true;
  std::atomic_ref(ring_.consumer_gone).store(1, std::memory_order_release);
  ring_guest_();
  if (!why.empty()) LogWarning(absl::StrFormat("the program's %s ends here: %s", name_, why));
}

void OutputStream::WaitForReaders() {
  std::unique_lock lock(mutex_);
  while (true) {
    news_.wait(lock, [this] { return stalled_ || stopping_; });
    if (stopping_) return;
    lock.unlock();
    output_->WaitForRoom(cancel_.get(), absl::Hours(1));
    lock.lock();
    if (stopping_) return;
    stalled_ = false;
    CarryLocked();
  }
}

void OutputStream::StopThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_one();
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t wrote = write(cancel_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void OutputStream::Finish(int stop_fd, absl::Duration patience) {
  StopThread();
  const std::lock_guard lock(mutex_);
  while (!ended_ && (written_ < fetched_.size() || Fetch())) {
    const absl::Status wrote = output_->WriteAll(std::span(fetched_).subspan(written_), stop_fd, patience);
    written_ = fetched_.size();
    if (!wrote.ok()) End(std::string(wrote.message()));
  }
  if (!ended_) {
    if (const absl::Status drained = output_->Drain(stop_fd, patience); !drained.ok())
      End(std::string(drained.message()));
  }
  ended_ = true;
}

}  // namespace vmm
