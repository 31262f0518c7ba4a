// The signals by which people and CI systems end a program, taken as something to poll for
// while this object lives, so that every way out goes through the run loop's own end.
#ifndef VMM_RUN_STOP_SIGNALS_H_
#define VMM_RUN_STOP_SIGNALS_H_

#include <array>
#include <csignal>
#include <memory>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// SIGINT, SIGTERM, SIGHUP and SIGQUIT. Make it before any thread is started: threads inherit
// the signal mask. SIGPIPE, SIGTTIN and SIGXFSZ are ignored meanwhile: a reader of our console
// that goes away, a job put into the background, or a limit on the size of files (then a failed
// write, which is told) is no reason to lose a guest. One may live inside another: then the signals stay with the outer
// one, but those that the inner one took or forgot.
class StopSignals {
 public:
  static absl::StatusOr<std::unique_ptr<StopSignals>> Block();

  // For a run inside of another program: no signal is blocked or ignored. Each 1 that is written to `event_fd`, an
  // eventfd(2) with EFD_SEMAPHORE and EFD_NONBLOCK, stands for a SIGTERM. `event_fd` is duplicated.
  static absl::StatusOr<std::unique_ptr<StopSignals>> FromEvent(int event_fd);

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();  // the mask and the handlers as they were; what is pending by then is forgotten

  int fd() const { return fd_.get(); }  // readable when one is pending

  // The number of a pending signal, or 0.
  int Take();

 private:
  StopSignals() = default;

  UniqueFd fd_;
  bool is_event_ = false;  // FromEvent() made it
  sigset_t old_mask_ = {};
  std::array<struct sigaction, 3> old_actions_ = {};  // of the ignored ones
};

}  // namespace vmm

#endif  // VMM_RUN_STOP_SIGNALS_H_
