// What is found out about a bad end, once nothing of the guest moves any more.
#ifndef VMM_OUTCOME_EXPLAIN_END_H_
#define VMM_OUTCOME_EXPLAIN_END_H_

#include "dump/snapshot/vm_snapshot.h"
#include "vmm/config/vm_config.h"
#include "vmm/outcome/run_outcome.h"

namespace vmm {

// A kernel with neither a trap nor pvpanic panics silently, then resets or stands still. If its console printed a
// panic, reclassifies such a reset or time-out as one. The console is not believed if a trap was planted for panics and
// did not fire: then the words are somebody else's. Nor are an early exception's words (EarlyExceptionWatch is for
// them).
void PromoteConsolePanic(RunOutcome& outcome);

// True if the guest's console said that it panicked.
bool ConsoleShowedPanic(const RunOutcome& outcome);

// One of which somebody will ask why: a panic, a hang, a time-out, and a SIGTERM, by which harnesses end what is stuck.
bool IsBadEnd(const RunOutcome& outcome);

// What the vCPUs' registers and the guest's memory say of the end goes into the record, and to stderr what the console
// has not shown. Never fails. REQUIRES: IsBadEnd().
void ExplainEnd(const VmConfig& config, const VmSnapshot& snapshot, RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_OUTCOME_EXPLAIN_END_H_
