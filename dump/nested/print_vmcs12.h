// A vmcs12 in words: every field with its value, and with what the value means where that can be said.
#ifndef DUMP_NESTED_PRINT_VMCS12_H_
#define DUMP_NESTED_PRINT_VMCS12_H_

#include <cstdint>
#include <string>
#include <vector>

#include "dump/nested/vmcs12_fields.h"
#include "dump/nested/vmcs_region.h"

namespace vmm {

// What `value` means in `field`: "EPT violation", "4 levels, write-back, table at 0x30000",
// "64-bit code, DPL 0, present". Empty where a number is just that.
std::string VmcsFieldMeaning(const VmcsField& field, uint64_t value);

// One line a field of `layout`, ascending by encoding within the areas that the SDM has: header, guest
// state, host state, controls, exit information.
//
//   guest_rip                    0000000000005027
//   vm_exit_reason               00000030          EPT violation
std::string PrintVmcs12(const VmcsRegion& region, Vmcs12Layout layout);

// A field that two regions have different values in.
struct VmcsDifference {
  const VmcsField* field = nullptr;
  uint64_t a = 0;
  uint64_t b = 0;
};

// In the order of PrintVmcs12. Header and padding are not compared.
std::vector<VmcsDifference> DiffVmcs12(const VmcsRegion& a, const VmcsRegion& b, Vmcs12Layout layout);

// One line each: name, a's value, b's value, b's meaning. Empty where there is no difference.
std::string PrintVmcs12Diff(const VmcsRegion& a, const VmcsRegion& b, Vmcs12Layout layout);

}  // namespace vmm

#endif  // DUMP_NESTED_PRINT_VMCS12_H_
