// The host's side of the guest's death, as notes for its dump: docs/host-side.md.
#ifndef VMM_RUN_HOST_NOTES_H_
#define VMM_RUN_HOST_NOTES_H_

#include <memory>
#include <span>
#include <vector>

#include "dump/flight/console_note.h"
#include "dump/flight/sched_note.h"
#include "dump/snapshot/core_note.h"
#include "vmm/kvm/binary_stats.h"
#include "vmm/recorder/flight_recorder.h"

namespace vmm {

// VMM-FLIGHT and VMM-SCHED of each vCPU, VMM-KVM-STATS of the VM and of each vCPU where KVM gave any, VMM-CONSOLE.
// However many vCPUs there are, exits and statistics take a MiB each at most. REQUIRES: the vCPUs' threads have ended.
std::vector<CoreNote> HostNotes(std::span<const std::unique_ptr<FlightRecorder>> recorders,
                                std::span<const SchedNote> sched, const KvmStatistics& kvm, const ConsoleNote& console);

}  // namespace vmm

#endif  // VMM_RUN_HOST_NOTES_H_
