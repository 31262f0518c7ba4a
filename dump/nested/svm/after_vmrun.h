// Tells how far a CPU of L1 has come after it left L2. Between VMRUN and KVM's C code, L2's general registers are first
// only in the CPU, and then in KVM's struct. L1's KVM uses VMLOAD and VMSAVE there, and the KVM below L1 emulates them.
// So a dump often finds a CPU at this place.
#ifndef DUMP_NESTED_SVM_AFTER_VMRUN_H_
#define DUMP_NESTED_SVM_AFTER_VMRUN_H_

#include "base/physical_memory.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

enum class AfterVmrun {
  kFar,            // not near a VMRUN: KVM's struct has all that this CPU had of L2
  kNothingStored,  // its general registers are L2's, except RSP and RAX; RAX is the address of the VMCB
  kStoring,        // KVM's struct has some of them, or this is not known
  kStored,         // KVM's struct has all of them, except RAX, RSP and RIP, which are in the VMCB
};

// Decides by the code before the CPU's RIP. Since 4.18, __svm_vcpu_run of Linux arch/x86/kvm/svm/vmenter.S stores R15
// last, at an offset from RAX. `l1` is L1's RAM.
AfterVmrun WhereAfterVmrun(const PhysicalMemory& l1, const CpuState& l1_cpu);

}  // namespace vmm

#endif  // DUMP_NESTED_SVM_AFTER_VMRUN_H_
