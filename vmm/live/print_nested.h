// What a vCPU that runs a hypervisor has loaded: its current VMCS or VMCB, by KVM's nested state.
#ifndef VMM_LIVE_PRINT_NESTED_H_
#define VMM_LIVE_PRINT_NESTED_H_

#include <string>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// One line for `info registers`: "VMPTR=0000000000002000 (L2 runs)". Empty if the vCPU is in no VMX or SVM operation.
std::string PrintVmptr(const NestedCpuState& nested);

// For `info vmcs`: every field of the current VMCS, or of the VMCB while L2 runs. A sentence if there is none.
std::string PrintCurrentVmcs(const NestedCpuState& nested);

}  // namespace vmm

#endif  // VMM_LIVE_PRINT_NESTED_H_
