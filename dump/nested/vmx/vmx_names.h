// Names for the numbers in a VMCS, as the Intel SDM has them.
#ifndef DUMP_NESTED_VMX_VMX_NAMES_H_
#define DUMP_NESTED_VMX_VMX_NAMES_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace vmm {

// The name of a basic exit reason (bits 15:0 of the field), SDM vol. 3, appendix C: "EPT violation"; "unknown".
std::string_view VmExitReasonName(uint16_t reason);

// The five words of control bits (SDM vol. 3, sections 25.6 to 25.8).
enum class VmxControlWord { kPinBased, kPrimary, kSecondary, kExit, kEntry };

// The names of the set bits, in ascending order: "external-interrupt exiting, NMI exiting". Leaves out bits that must
// be one, because they say nothing. A bit without a name is "bit 31".
std::string VmxControlNames(VmxControlWord word, uint32_t value);

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMX_NAMES_H_
