// Describes a VMCB in words: every field with its value, and with the value's meaning if it has a known one.
#ifndef DUMP_NESTED_SVM_PRINT_VMCB12_H_
#define DUMP_NESTED_SVM_PRINT_VMCB12_H_

#include <vector>

#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/fields/state_fields.h"

namespace vmm {

// The parts of a VMCB to describe. In KVM's nested state, the save area is L1's, not L2's.
enum class VmcbParts { kControlAndSave, kControl };

// The fields by ascending offset: control area, then state-save area.
std::vector<StateField> DescribeVmcb12(const Vmcb12& vmcb, VmcbParts parts = VmcbParts::kControlAndSave);

}  // namespace vmm

#endif  // DUMP_NESTED_SVM_PRINT_VMCB12_H_
