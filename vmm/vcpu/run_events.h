// The events that the run loop waits for: the guest's first panic and first request, as devices and vCPU threads report
// them, and a descriptor that wakes the loop.
#ifndef VMM_VCPU_RUN_EVENTS_H_
#define VMM_VCPU_RUN_EVENTS_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_request.h"
#include "base/panic_event.h"
#include "base/unique_fd.h"

namespace vmm {

// The latch of a run. It keeps the first panic and only counts later ones, so that a guest that dies on all its CPUs is
// still one death. A better witness replaces a panic that only the console reported. Any thread may call any method.
class RunEvents final : public PanicSink, public GuestRequestSink {
 public:
  // `stop_at_panic`: vcpus_must_stop() becomes true at a panic, not only at a request.
  static absl::StatusOr<std::unique_ptr<RunEvents>> Create(bool stop_at_panic);

  // PanicSink, GuestRequestSink. A panic without a vCPU gets the vCPU whose thread reports it. After a request the
  // guest is no longer responsible: a panic is then counted, but not kept.
  void OnPanic(const PanicEvent& event) override;
  void OnGuestRequest(const GuestRequest& request) override;

  // The calling thread runs vCPU `vcpu` from now on.
  void ThisThreadRunsVcpu(int vcpu);

  // True once no vCPU may run on: the guest asked for a power-off or reset, and its next step (a triple fault, as the
  // next way to reset) must not be taken for its end.
  bool vcpus_must_stop() const { return vcpus_must_stop_.load(std::memory_order_acquire); }

  // A part of the host's side failed that the guest cannot do without: the run ends with that error. The first counts.
  // REQUIRES: `why` is an error.
  void OnHostFailure(const absl::Status& why);

  // Wakes the run loop for any other news: room for console input.
  void Wake();

  // For poll(2): readable if anything happened since the last Acknowledge().
  int fd() const { return wake_fd_.get(); }
  void Acknowledge();

  // If the guest's own crash kernel takes over (crash_loaded), the event is kept but does not end the run.
  std::optional<PanicEvent> panic() const;
  std::optional<GuestRequest> request() const;
  uint64_t panics_seen() const;
  absl::Status host_failure() const;  // OK: none

  // True if any panic, kept or only counted, was a vCPU that stopped for good.
  bool a_vcpu_stopped() const;

 private:
  RunEvents(UniqueFd wake_fd, bool stop_at_panic) : wake_fd_(std::move(wake_fd)), stop_at_panic_(stop_at_panic) {}

  const UniqueFd wake_fd_;  // eventfd
  const bool stop_at_panic_;
  std::atomic<bool> vcpus_must_stop_ = false;
  mutable std::mutex mutex_;  // guards all below
  std::map<std::thread::id, int> vcpu_of_thread_;
  std::optional<PanicEvent> panic_;
  std::optional<GuestRequest> request_;
  uint64_t panics_seen_ = 0;
  absl::Status host_failure_;
  bool a_vcpu_stopped_ = false;
};

}  // namespace vmm

#endif  // VMM_VCPU_RUN_EVENTS_H_
