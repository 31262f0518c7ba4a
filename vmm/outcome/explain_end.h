// What is found out about a bad end, once nothing of the guest moves any more.
#ifndef VMM_OUTCOME_EXPLAIN_END_H_
#define VMM_OUTCOME_EXPLAIN_END_H_

#include "dump/snapshot/vm_snapshot.h"
#include "vmm/config/vm_config.h"
#include "vmm/outcome/run_outcome.h"

namespace vmm {

// A kernel in which nothing was caught and without pvpanic's driver dies unseen: it stands still, or resets the machine
// (panic=N). If its console said that it panicked, that is what it did.
void BelieveConsole(RunOutcome& outcome);

// True if the guest's console said that it panicked.
bool ConsoleShowedPanic(const RunOutcome& outcome);

// One of which somebody will ask why: a panic, a hang, a time-out, and a SIGTERM, by which harnesses end what is stuck.
bool IsBadEnd(const RunOutcome& outcome);

// What the vCPUs' registers and the guest's memory say of the end goes into the record, and to stderr what the console
// has not shown. Never fails. REQUIRES: IsBadEnd().
void ExplainEnd(const VmConfig& config, const VmSnapshot& snapshot, RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_OUTCOME_EXPLAIN_END_H_
