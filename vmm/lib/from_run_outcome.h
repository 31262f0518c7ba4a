// From the outcome of a run to the library's.
#ifndef VMM_LIB_FROM_RUN_OUTCOME_H_
#define VMM_LIB_FROM_RUN_OUTCOME_H_

#include "absl/status/statusor.h"
#include "vmm/config/vm_config.h"
#include "vmm/lib/libvmm.h"
#include "vmm/outcome/run_outcome.h"

namespace libvmm {

// All but the streams. The error of `outcome` if there was no run.
absl::StatusOr<RunOutcome> FromRunOutcome(const vmm::VmConfig& config, const vmm::RunOutcome& outcome);

}  // namespace libvmm

#endif  // VMM_LIB_FROM_RUN_OUTCOME_H_
