// From the library's configuration to the one of a run.
#ifndef VMM_LIB_TO_VM_CONFIG_H_
#define VMM_LIB_TO_VM_CONFIG_H_

#include "absl/status/statusor.h"
#include "vmm/config/vm_config.h"
#include "vmm/lib/libvmm.h"

namespace libvmm {

// InvalidArgument names the field, its value and the limit. Opens no file.
absl::StatusOr<vmm::VmConfig> ToVmConfig(const Config& config);

}  // namespace libvmm

#endif  // VMM_LIB_TO_VM_CONFIG_H_
