// The registers of a guest's guest (L2) that does not run: what its VMCS or VMCB tells, and what KVM in L1
// keeps beside.
#ifndef DUMP_NESTED_L2_REGISTERS_H_
#define DUMP_NESTED_L2_REGISTERS_H_

#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// As L2 would go on: RIP, RSP, RFLAGS, control and segment registers. A vmcs12 has no general registers, a
// VMCB only RAX; a vmcs12 lacks CR2 and KERNEL_GS_BASE as well. What is missing is zero.
CpuState RegistersOf(const Vmcs12& vmcs12);
CpuState RegistersOf(const VmcbSave& save);

}  // namespace vmm

#endif  // DUMP_NESTED_L2_REGISTERS_H_
