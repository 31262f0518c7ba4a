// Ends the run of a kernel that died of an exception in early boot.
//
// Such a kernel prints "PANIC: early exception ..." and halts. It does not call panic(), so neither a catch nor pvpanic
// sees it, and it stands still until --timeout. The words alone do not end the run, because any program can print them:
// the kernel must also not yet have loaded its TSS, which it does together with its trap table, before there is any
// user space.
#ifndef VMM_RUN_EARLY_EXCEPTION_WATCH_H_
#define VMM_RUN_EARLY_EXCEPTION_WATCH_H_

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/panic_event.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/witness/console_scanner.h"

namespace vmm {

// True for a vCPU in the kernel of a machine that has no task-state segment of the kernel's own, interrupts off.
bool RunsBeforeTraps(const CpuState& cpu);

class EarlyExceptionWatch {
 public:
  // `panics` must outlive the watch.
  explicit EarlyExceptionWatch(PanicSink& panics) : panics_(panics) {}

  // True if `witness` is such a line: the caller then wakes the thread of the run, which calls Check(). Any thread.
  bool Add(const ConsoleWitness& witness);

  // Looks at vCPU 0, which boots the kernel, once for each line, and reports a panic if the line is true. `look` gives
  // every vCPU's registers, none of one that does not answer. Returns when it wants to be called again at the latest;
  // InfiniteFuture: not before the next line. The thread of the run alone.
  absl::Time Check(const std::function<std::vector<std::optional<CpuState>>()>& look);

 private:
  PanicSink& panics_;
  std::mutex mutex_;  // guards line_
  std::string line_;  // not yet looked into; empty: none
  int tries_ = 0;     // for this line
};

}  // namespace vmm

#endif  // VMM_RUN_EARLY_EXCEPTION_WATCH_H_
