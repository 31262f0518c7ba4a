// What KVM_SET_NESTED_STATE answers, foretold: its checks in its order (Linux 6.1, x86.c,
// vmx/nested.c, svm/nested.c). Who restores a state can say beforehand, and in words, why it will be
// refused; the ioctl says EINVAL for all of it.
#ifndef DUMP_NESTED_TESTING_SET_NESTED_STATE_H_
#define DUMP_NESTED_TESTING_SET_NESTED_STATE_H_

#include <cstdint>
#include <span>
#include <string>

#include "base/physical_memory.h"

namespace vmm {

// The vCPU that would take the state.
struct NestedStateTaker {
  bool vmx = true;      // kvm_intel, not kvm_amd
  bool enabled = true;  // VMX: CPUID has it. SVM: EFER.SVME is set
  bool in_smm = false;
  bool nested_paging = true;  // SVM: the host has it
  int physical_address_bits = 40;
  const PhysicalMemory* memory = nullptr;  // L1's RAM; without it shadow VMCSs in memory are not looked at
};

// `error` is 0, EINVAL or EFAULT; `why` says what was refused.
struct SetNestedStateVerdict {
  int error = 0;
  std::string why;
};

// Pure. `bytes` are all that are mapped at the pointer which the ioctl gets; none for a null pointer.
SetNestedStateVerdict CheckSetNestedState(std::span<const uint8_t> bytes, const NestedStateTaker& taker);

}  // namespace vmm

#endif  // DUMP_NESTED_TESTING_SET_NESTED_STATE_H_
