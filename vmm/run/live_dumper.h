// Dumps of the guest while it lives: docs/live.md.
//
// The guest stands still for the moment of a flip (vmm/flip/memory_flip.h). A thread then writes the frozen RAM while
// the guest runs on, and a second short pause makes the RAM one again. Where a flip would not hold, the guest stands
// still until its dump is written.
#ifndef VMM_RUN_LIVE_DUMPER_H_
#define VMM_RUN_LIVE_DUMPER_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "vmm/config/vm_config.h"
#include "vmm/flip/memory_flip.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/live_dump.h"
#include "vmm/run/live_run.h"
#include "vmm/run/on_panic.h"

namespace vmm {

// Owned and called by the run's thread.
class LiveDumper {
 public:
  struct Wiring {
    const VmConfig& config;
    Machine& machine;
    LiveRun& guest;
    const DumpDirs& dirs;
    LiveDumps& record;
    // Makes a snapshot of a guest with these registers; its memory is then replaced.
    std::function<VmSnapshot(const LiveRun::States& states)> snapshot;
    std::function<absl::Duration()> age;  // since the guest's first instruction
  };
  // Before the sandbox, which forbids to open what it needs. Everything in `wiring` must outlive it.
  static absl::StatusOr<std::unique_ptr<LiveDumper>> Create(Wiring wiring);
  ~LiveDumper();

  // Begins a dump. `why` is a literal, and stays in the record. If one is under way, a new one follows it; of several
  // wishes meanwhile, one remains. A failure is told to the user and kept in the record, nothing else: the guest runs
  // on.
  void Dump(std::string_view why);

  // True from the begin of a dump until it has its name and the guest's RAM is one again.
  bool busy() const { return job_ != nullptr; }

  // Serve() is to be called when it is readable.
  int fd() const { return news_.get(); }
  void Serve();

  // Waits until no dump is under way and the guest's RAM is one, so that others may read it from the memfd. The guest
  // may run meanwhile. FailedPrecondition if the RAM cannot be made one.
  absl::Status Settle();

  // The guest's RAM as the guest sees it, if that is not in the memfd since an earlier dump; else null.
  const PhysicalMemory* running_memory() const;

  // The guest has ended, and its vCPUs and devices stand still for good. Waits for a dump that is under way, gives it
  // up if `give_up` is true or once `stop_fd` is readable, and makes the RAM one again.
  void Finish(bool give_up, int stop_fd);

 private:
  struct Job;

  explicit LiveDumper(Wiring wiring);

  std::string WhyNoFlip() const;
  absl::Status CheckDirs() const;
  // While the guest stands still: a flip, or else the whole dump.
  absl::Status BeginStopped(const LiveRun::States& states);
  void Write();  // the job's dump; on the job's own thread if there was a flip
  void TryMerge();
  void Merge();  // REQUIRES: the guest stands still
  void End();    // of the job: records it and tells the user
  // Makes fd() readable after `delay`. Any thread.
  void Ring(absl::Duration delay);

  const Wiring wiring_;
  std::optional<RunningMemory> running_;
  std::unique_ptr<MemoryFlip> flip_;  // null: see no_flip_
  std::string no_flip_;               // why there can be none in this run
  UniqueFd news_;
  std::unique_ptr<Job> job_;  // null: no dump is under way
  std::string_view next_;     // the wish that came meanwhile; empty: none
  int named_ = 0;             // dumps whose name was derived from --dump-name
};

}  // namespace vmm

#endif  // VMM_RUN_LIVE_DUMPER_H_
