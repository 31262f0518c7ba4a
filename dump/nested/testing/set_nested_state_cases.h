// Test cases for KVM_SET_NESTED_STATE: each is one change to a real state, with the answer of a real kvm_intel or
// kvm_amd of Linux 6.1. Our own prediction is tested against these answers, and so is KVM.
#ifndef DUMP_NESTED_TESTING_SET_NESTED_STATE_CASES_H_
#define DUMP_NESTED_TESTING_SET_NESTED_STATE_CASES_H_

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/nested/testing/set_nested_state.h"

namespace vmm {

// A fixture in its parts. `bytes` extends one page beyond the longest state.
struct NestedStateParts {
  explicit NestedStateParts(std::string_view fixture);

  // The parts put together again, as a state of VMX or of SVM.
  std::vector<uint8_t> Bytes(bool vmx);

  std::vector<uint8_t> bytes;
  KvmNestedHeader header;
  Vmcs12 vmcs12 = {};
  Vmcb12 vmcb = {};
  uint32_t shadow_hdr = 0;  // of the shadow VMCS
};

struct SetNestedStateCase {
  std::string_view what;
  std::function<void(NestedStateParts&)> change;
  NestedStateTaker taker = {};
  std::string_view fixture = {};
  int error = 0;  // errno

  std::vector<uint8_t> Bytes() const;
};

// The cases of VMX, or of SVM.
std::vector<SetNestedStateCase> SetNestedStateCases(bool vmx);

}  // namespace vmm

#endif  // DUMP_NESTED_TESTING_SET_NESTED_STATE_CASES_H_
