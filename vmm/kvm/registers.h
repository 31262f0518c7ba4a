// CpuState from and to KVM's register structs.
#ifndef VMM_KVM_REGISTERS_H_
#define VMM_KVM_REGISTERS_H_

#include <linux/kvm.h>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// All but kernel_gs_base and started, which KVM keeps elsewhere.
void CopyFromKvm(const kvm_regs& regs, const kvm_sregs& sregs, CpuState& state);

// What CpuState does not have stays as it is in `sregs`. An apic_base of 0, which no machine
// has, stays too: a state made up for a boot need not know it.
void CopyToKvm(const CpuState& state, kvm_regs& regs, kvm_sregs& sregs);

}  // namespace vmm

#endif  // VMM_KVM_REGISTERS_H_
