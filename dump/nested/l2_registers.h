// The registers of a guest's guest (L2) that is not running, from its VMCS or VMCB. KVM in L1 keeps the others
// (dump/nested/kvm_vcpu_search.h).
#ifndef DUMP_NESTED_L2_REGISTERS_H_
#define DUMP_NESTED_L2_REGISTERS_H_

#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The registers with which L2 would resume: RIP, RSP, RFLAGS, control and segment registers. A vmcs12 has no general
// registers, a VMCB only RAX. A vmcs12 also lacks CR2 and KERNEL_GS_BASE. Missing registers are zero.
CpuState RegistersOf(const Vmcs12& vmcs12);
CpuState RegistersOf(const VmcbSave& save);

}  // namespace vmm

#endif  // DUMP_NESTED_L2_REGISTERS_H_
