// Predicts the result of KVM_SET_NESTED_STATE: makes its checks in its order (Linux 6.1, x86.c, vmx/nested.c,
// svm/nested.c). So a caller that restores a state can say beforehand, in words, why KVM will refuse it. The ioctl
// itself says EINVAL for all of it.
#ifndef DUMP_NESTED_TESTING_SET_NESTED_STATE_H_
#define DUMP_NESTED_TESTING_SET_NESTED_STATE_H_

#include <cstdint>
#include <span>
#include <string>

#include "base/physical_memory.h"

namespace vmm {

// The vCPU that is to receive the state.
struct NestedStateTaker {
  bool vmx = true;      // kvm_intel, not kvm_amd
  bool enabled = true;  // VMX: CPUID has it. SVM: EFER.SVME is set
  bool in_smm = false;
  bool nested_paging = true;  // SVM: the host has it
  int physical_address_bits = 40;
  const PhysicalMemory* memory = nullptr;  // L1's RAM; null: shadow VMCSs in memory are not checked
};

// `error` is 0, EINVAL or EFAULT; `why` says what was refused.
struct SetNestedStateVerdict {
  int error = 0;
  std::string why;
};

// Pure. `bytes` are all bytes that are mapped at the pointer given to the ioctl. Empty: a null pointer.
SetNestedStateVerdict CheckSetNestedState(std::span<const uint8_t> bytes, const NestedStateTaker& taker);

}  // namespace vmm

#endif  // DUMP_NESTED_TESTING_SET_NESTED_STATE_H_
