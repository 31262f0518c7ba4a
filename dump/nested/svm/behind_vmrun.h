// How far a CPU of L1 has come that has left L2 just now: between VMRUN and KVM's C code the general registers of L2
// are first in the CPU only, and then in KVM's struct. What KVM does there (VMLOAD, VMSAVE) is emulated by KVM below
// it, so this is where a dump often finds such a CPU.
#ifndef DUMP_NESTED_SVM_BEHIND_VMRUN_H_
#define DUMP_NESTED_SVM_BEHIND_VMRUN_H_

#include "base/physical_memory.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

enum class BehindVmrun {
  kFar,            // not near one: KVM's struct has what this CPU had of L2
  kNothingStored,  // its general registers are L2's, but for RSP, and RAX, which is the address of the VMCB
  kStoring,        // KVM's struct has some of them, or it cannot be told
  kStored,         // KVM's struct has all, but for RAX, RSP and RIP, which are the VMCB's
};

// By the code before its RIP, as __svm_vcpu_run of Linux arch/x86/kvm/svm/vmenter.S has it since 4.18: R15 is stored
// last, to where RAX points. `l1` is L1's RAM.
BehindVmrun WhereBehindVmrun(const PhysicalMemory& l1, const CpuState& l1_cpu);

}  // namespace vmm

#endif  // DUMP_NESTED_SVM_BEHIND_VMRUN_H_
