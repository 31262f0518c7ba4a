// Wishes for a dump of the living guest that come from outside the run loop: SIGUSR1, and the clock (--dump-every).
#ifndef VMM_RUN_DUMP_WISHES_H_
#define VMM_RUN_DUMP_WISHES_H_

#include <csignal>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace vmm {

// Make it before any thread is started: threads inherit the signal mask. Used by the thread that made it.
class DumpWishes {
 public:
  // From now on SIGUSR1 does not end this process.
  static absl::StatusOr<std::unique_ptr<DumpWishes>> Open();

  DumpWishes(const DumpWishes&) = delete;
  DumpWishes& operator=(const DumpWishes&) = delete;
  ~DumpWishes();  // SIGUSR1 as it was; one that is pending by then is forgotten

  // The clock begins to run. `interval` is at least a millisecond. REQUIRES: it was not called before.
  absl::Status StartClock(absl::Duration interval);

  int signal_fd() const { return signal_.get(); }  // readable after SIGUSR1
  int clock_fd() const { return clock_.get(); }    // readable after each interval; -1 without a clock

  // True if there was a wish. Several at once are one.
  bool TakeSignal();
  bool TakeClock();

 private:
  DumpWishes() = default;

  UniqueFd signal_, clock_;
  sigset_t old_mask_ = {};
};

}  // namespace vmm

#endif  // VMM_RUN_DUMP_WISHES_H_
