// Explains a bad end from the registers and memory of a guest that has stopped.
#ifndef VMM_OUTCOME_EXPLAIN_END_H_
#define VMM_OUTCOME_EXPLAIN_END_H_

#include "dump/kernel/find_kernel.h"
#include "dump/snapshot/vm_snapshot.h"
#include "vmm/config/vm_config.h"
#include "vmm/outcome/run_outcome.h"

namespace vmm {

// A kernel with neither a trap nor pvpanic panics silently, then resets or stands still. If its console printed a
// panic, reclassifies such a reset or time-out as a panic. Does not believe the console if a trap was planted for
// panics and did not fire: then somebody else printed the words. Nor does it believe the words of an early exception,
// which EarlyExceptionWatch handles.
void PromoteConsolePanic(RunOutcome& outcome);

// Sets outcome.xen_victim from the console's lines, if `multiboot`, the kernel is one that Xen might be. A Linux panic
// on the console of Xen is dom0's: Xen marks the lines of every other domain.
void NameXenVictim(bool multiboot, RunOutcome& outcome);

// True if the guest's console said that it panicked.
bool ConsoleShowedPanic(const RunOutcome& outcome);

// True for ends that somebody will ask about: a panic, a hang, a time-out, and SIGTERM, which harnesses send to a run
// that is stuck.
bool IsBadEnd(const RunOutcome& outcome);

// Adds to the record what the vCPUs' registers and the guest's memory say about the end, and prints on stderr what the
// console has not shown. `kernel` is FindKernel() of `snapshot`. A child process reads the memory (explanation.h). It
// is ended when `stop_fd` becomes readable; -1: nothing ends it early. Never fails. REQUIRES: IsBadEnd().
void ExplainEnd(const VmConfig& config, const VmSnapshot& snapshot, const FoundKernel& kernel, int stop_fd,
                RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_OUTCOME_EXPLAIN_END_H_
