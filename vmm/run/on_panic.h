// What is done once the guest has died: the policy of --on-panic, on a machine whose vCPUs
// have stopped.
#ifndef VMM_RUN_ON_PANIC_H_
#define VMM_RUN_ON_PANIC_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/output_dir.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/config/vm_config.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/run_outcome.h"

namespace vmm {

// The directories for a dump, opened before the guest runs: what happens to their names
// later, or to the right to open them, does not matter any more.
struct DumpDirs {
  absl::StatusOr<OutputDir> first = absl::UnknownError("not opened");
  absl::StatusOr<OutputDir> fallback = absl::NotFoundError("no --dump-fallback-dir was given");
};

// Takes away what killed processes left half-made there (base/partial_file.h).
DumpDirs OpenDumpDirs(const VmConfig& config);

// The registers of stopped vCPUs, the RAM and further notes, as the dump code takes them. A vCPU whose
// registers could not be read is told on stderr, and kept as one that never started: a dump
// without it is worth more than none.
VmSnapshot MakeSnapshot(const std::vector<absl::StatusOr<CpuState>>& states, const GuestMemory& memory,
                        const std::optional<PanicEvent>& panic, std::vector<CoreNote> notes);

// Writes the dump, into the second directory where the first one or the stream fails, and keeps in `outcome`
// what came of it. `stop_fd` is readable when the user wants the run to end: a stream whose reader does not read is
// given up then.
void DumpSnapshot(const VmSnapshot& snapshot, const DumpDirs& dirs, const VmConfig& config, int stop_fd,
                  RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_RUN_ON_PANIC_H_
