// Looks at a running machine from time to time, and says when it hangs.
#ifndef VMM_RUN_HANG_WATCH_H_
#define VMM_RUN_HANG_WATCH_H_

#include <functional>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "vmm/recorder/thread_account.h"
#include "vmm/run/vcpu_threads.h"
#include "vmm/witness/hang_monitor.h"

namespace vmm {

// Owned and called by the thread of the run. A look interrupts each vCPU for some microseconds.
class HangWatch {
 public:
  // `threads` must outlive it. `console_bytes`: how much the guest has printed so far.
  HangWatch(VcpuThreads& threads, absl::Duration hang_after, std::function<uint64_t()> console_bytes);

  absl::Duration interval() const { return monitor_.interval(); }

  // True from the look on that found the guest hanging.
  bool Look();

  const std::optional<Hang>& hang() const { return hang_; }

 private:
  VcpuSample Sample(size_t id, const std::optional<CpuState>& state);

  VcpuThreads& threads_;
  const std::function<uint64_t()> console_bytes_;
  HangMonitor monitor_;
  absl::Time last_look_;
  std::vector<ThreadAccount> accounts_;  // of each vCPU, at the last look
  std::optional<Hang> hang_;
};

}  // namespace vmm

#endif  // VMM_RUN_HANG_WATCH_H_
