// The dump of a dead guest, whose vCPUs have stopped.
#ifndef VMM_RUN_ON_PANIC_H_
#define VMM_RUN_ON_PANIC_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/output_dir.h"
#include "dump/kernel/find_kernel.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/config/vm_config.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/run_outcome.h"

namespace vmm {

// The directories for a dump, opened before the guest runs. What happens to their names or permissions later does
// not matter.
struct DumpDirs {
  absl::StatusOr<OutputDir> first = absl::UnknownError("not opened");
  absl::StatusOr<OutputDir> fallback = absl::NotFoundError("no --dump-fallback-dir was given");
};

// Also removes the half-made files that killed processes left there (base/partial_file.h).
DumpDirs OpenDumpDirs(const VmConfig& config);

// The registers of stopped vCPUs, the RAM and further notes, as the dump code takes them. If a vCPU's registers could
// not be read, says so on stderr and keeps that vCPU as one that never started: a dump without it is better than none.
VmSnapshot MakeSnapshot(const std::vector<absl::StatusOr<CpuState>>& states, const GuestMemory& memory,
                        const std::optional<PanicEvent>& panic, std::vector<CoreNote> notes);

// Writes the dump, into the second directory if the first one or the stream fails, and keeps the result in `outcome`.
// `kernel` is FindKernel() of `snapshot`. When `stop_fd` becomes readable, a stream whose reader does not read is
// given up.
void DumpSnapshot(const VmSnapshot& snapshot, const FoundKernel& kernel, const DumpDirs& dirs, const VmConfig& config,
                  int stop_fd, RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_RUN_ON_PANIC_H_
