// Converts CpuState from and to KVM's register structs.
#ifndef VMM_KVM_REGISTERS_H_
#define VMM_KVM_REGISTERS_H_

#include <linux/kvm.h>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// Fills `state` from the two structs. KVM keeps the other fields, such as kernel_gs_base and started, elsewhere.
void CopyFromKvm(const kvm_regs& regs, const kvm_sregs& sregs, CpuState& state);

// Fields of `sregs` that CpuState does not have stay as they are. An apic_base of 0, which no machine has, leaves that
// field unchanged too, so that a state made up for a boot need not know it.
void CopyToKvm(const CpuState& state, kvm_regs& regs, kvm_sregs& sregs);

}  // namespace vmm

#endif  // VMM_KVM_REGISTERS_H_
