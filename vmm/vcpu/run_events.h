// What the run loop waits for: the first panic and the first request of the guest, kept as
// they come in from devices and vCPU threads, and a descriptor that tells that one is there.
#ifndef VMM_VCPU_RUN_EVENTS_H_
#define VMM_VCPU_RUN_EVENTS_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/statusor.h"
#include "base/guest_request.h"
#include "base/panic_event.h"
#include "base/unique_fd.h"

namespace vmm {

// The latch of a run: the first panic is kept, later ones are only counted, so that a guest
// which dies on all its CPUs is still one death. Only what the console said gives way to a better witness. Any thread
// may call any method.
class RunEvents final : public PanicSink, public GuestRequestSink {
 public:
  // `stop_at_panic`: vcpus_must_stop() from the panic on, not only from a request on.
  static absl::StatusOr<std::unique_ptr<RunEvents>> Create(bool stop_at_panic);

  // PanicSink, GuestRequestSink. A panic whose vCPU is not known is given the vCPU whose
  // thread reports it. What comes after a request is not the guest's doing any more: a panic
  // is then counted, but not kept.
  void OnPanic(const PanicEvent& event) override;
  void OnGuestRequest(const GuestRequest& request) override;

  // The calling thread runs vCPU `vcpu` from now on.
  void ThisThreadRunsVcpu(int vcpu);

  // True once a vCPU must not run on: the guest asked to be powered off or reset, and what it
  // would do next (a triple fault, as the next way to reset) must not be taken for its end.
  bool vcpus_must_stop() const { return vcpus_must_stop_.load(std::memory_order_acquire); }

  // Any other news for the run loop: room for console input.
  void Wake();

  // Readable, for poll(2), whenever something has come since the last Acknowledge().
  int fd() const { return wake_fd_.get(); }
  void Acknowledge();

  // Where the guest's own crash kernel takes over (crash_loaded) the event is kept, but it
  // does not end the run.
  std::optional<PanicEvent> panic() const;
  std::optional<GuestRequest> request() const;
  uint64_t panics_seen() const;

  // A panic, kept or only counted, was a vCPU that stopped for good.
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
  bool a_vcpu_stopped_ = false;
};

}  // namespace vmm

#endif  // VMM_VCPU_RUN_EVENTS_H_
