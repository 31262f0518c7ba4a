#include "vmm/vcpu/run_events.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/status.h"

namespace vmm {
namespace {

// A death that ends the run outranks the announcement that a crash kernel takes over. Any other witness outranks words
// on a console.
bool TakesThePlaceOf(const PanicEvent& kept, const PanicEvent& event) {
  if (kept.crash_loaded) return !event.crash_loaded;
  return kept.source == PanicSource::kConsole && event.source != PanicSource::kConsole;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunEvents>> RunEvents::Create(bool stop_at_panic) {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "run loop: eventfd");
  return std::unique_ptr<RunEvents>(new RunEvents(std::move(fd), stop_at_panic));
}

void RunEvents::OnPanic(const PanicEvent& event) {
  {
    std::lock_guard lock(mutex_);
    ++panics_seen_;
    if (!LeavesVcpuRunning(event.source) && !event.crash_loaded) a_vcpu_stopped_ = true;
    const bool kept = !panic_.has_value() || TakesThePlaceOf(*panic_, event);
    if (kept && !request_.has_value()) {
      panic_ = event;
      const auto known = vcpu_of_thread_.find(std::this_thread::get_id());
      if (panic_->vcpu < 0 && known != vcpu_of_thread_.end()) panic_->vcpu = known->second;
      // A trap exists to catch what the other CPUs do at this very moment.
      const bool at_once = stop_at_panic_ || event.source == PanicSource::kTrap;
      if (at_once && !event.crash_loaded) vcpus_must_stop_.store(true, std::memory_order_release);
    }
  }
  Wake();
}

void RunEvents::OnGuestRequest(const GuestRequest& request) {
  {
    std::lock_guard lock(mutex_);
    if (!request_.has_value()) request_ = request;
    vcpus_must_stop_.store(true, std::memory_order_release);
  }
  Wake();
}

void RunEvents::OnHostFailure(const absl::Status& why) {
  {
    std::lock_guard lock(mutex_);
    host_failure_.Update(why);
  }
  Wake();
}

void RunEvents::ThisThreadRunsVcpu(int vcpu) {
  std::lock_guard lock(mutex_);
  vcpu_of_thread_[std::this_thread::get_id()] = vcpu;
}

void RunEvents::Wake() {
  const uint64_t one = 1;
  // Fails only if the counter is full, and then the descriptor is already readable.
  [[maybe_unused]] const ssize_t written = write(wake_fd_.get(), &one, sizeof(one));
}

void RunEvents::Acknowledge() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_fd_.get(), &count, sizeof(count));
}

std::optional<PanicEvent> RunEvents::panic() const {
  std::lock_guard lock(mutex_);
  return panic_;
}

std::optional<GuestRequest> RunEvents::request() const {
  std::lock_guard lock(mutex_);
  return request_;
}

uint64_t RunEvents::panics_seen() const {
  std::lock_guard lock(mutex_);
  return panics_seen_;
}

absl::Status RunEvents::host_failure() const {
  std::lock_guard lock(mutex_);
  return host_failure_;
}

bool RunEvents::a_vcpu_stopped() const {
  std::lock_guard lock(mutex_);
  return a_vcpu_stopped_;
}

}  // namespace vmm
