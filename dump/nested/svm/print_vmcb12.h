// A VMCB in words: every field with its value, and with what the value means where that can be said.
#ifndef DUMP_NESTED_SVM_PRINT_VMCB12_H_
#define DUMP_NESTED_SVM_PRINT_VMCB12_H_

#include <vector>

#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/fields/state_fields.h"

namespace vmm {

// Which parts of a VMCB to tell. In KVM's nested state the save area is not L2's but L1's.
enum class VmcbParts { kControlAndSave, kControl };

// The fields in the order of their offsets: control area, then state-save area.
std::vector<StateField> DescribeVmcb12(const Vmcb12& vmcb, VmcbParts parts = VmcbParts::kControlAndSave);

}  // namespace vmm

#endif  // DUMP_NESTED_SVM_PRINT_VMCB12_H_
