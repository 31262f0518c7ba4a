// The end of a run as its outcome keeps it.
#ifndef VMM_RUN_KEEP_END_H_
#define VMM_RUN_KEEP_END_H_

#include <memory>
#include <optional>
#include <span>

#include "base/panic_event.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/run_outcome.h"
#include "vmm/recorder/flight_recorder.h"
#include "vmm/run/event_loop.h"
#include "vmm/vcpu/run_events.h"

namespace vmm {

// True if the guest panicked and its own crash kernel took over.
bool HandedOver(const std::optional<PanicEvent>& panic);

// Adds to `outcome` what `end` means, as far as that is known without registers or RAM.
void KeepEnd(RunEnd end, const EventLoop& loop, const RunEvents& events, RunOutcome& outcome);

// With a program of the user's: what `end`, its init's word, makes of an outcome that KeepEnd() has left. An init that
// did not find the channel (kStageNone) may have said why: `end.text`.
void KeepProgramEnd(const ProgramEnd& end, bool shell_status, RunOutcome& outcome);

// Adds each vCPU's account: its exits, its thread's time, and KVM's own counters.
void KeepAccounts(std::span<const std::unique_ptr<FlightRecorder>> recorders, const KvmStatistics& kvm,
                  RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_RUN_KEEP_END_H_
