// Describes, in words, register bits that a VMCS and a VMCB both hold.
#ifndef DUMP_NESTED_FIELDS_REGISTER_NAMES_H_
#define DUMP_NESTED_FIELDS_REGISTER_NAMES_H_

#include <cstdint>
#include <string>

namespace vmm {

// A segment's access rights in the VMCS's format (SDM vol. 3, table 25-2): "64-bit code, DPL 0, present"; "unusable".
std::string SegmentRightsMeaning(uint64_t rights);

// "SCE LME LMA NX"
std::string EferMeaning(uint64_t efer);

// An event that is to be delivered, or was being delivered (SDM vol. 3, section 25.9.2; AMD APM vol. 2, section 15.20):
// "exception, vector 14". Empty if the valid bit is clear.
std::string EventMeaning(uint64_t event);

}  // namespace vmm

#endif  // DUMP_NESTED_FIELDS_REGISTER_NAMES_H_
