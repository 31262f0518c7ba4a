// Describes a vmcs12 in words: every field with its value, and with the value's meaning if it has a known one.
#ifndef DUMP_NESTED_VMX_PRINT_VMCS12_H_
#define DUMP_NESTED_VMX_PRINT_VMCS12_H_

#include <cstdint>
#include <string>
#include <vector>

#include "dump/nested/fields/state_fields.h"
#include "dump/nested/vmx/vmcs12_fields.h"
#include "dump/nested/vmx/vmcs_region.h"

namespace vmm {

// The meaning of `value` in `field`: "EPT violation", "4 levels, write-back, table at 0x30000", "64-bit code, DPL 0,
// present". Empty if the number has no further meaning.
std::string VmcsFieldMeaning(const VmcsField& field, uint64_t value);

// The fields of `layout`, ascending by encoding within each of the SDM's areas: header, guest state, host state,
// controls, exit information.
std::vector<StateField> DescribeVmcs12(const VmcsRegion& region, Vmcs12Layout layout);

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_PRINT_VMCS12_H_
