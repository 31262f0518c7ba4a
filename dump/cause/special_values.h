// Values that a kernel leaves where a pointer should be, and that say what went wrong.
#ifndef DUMP_CAUSE_SPECIAL_VALUES_H_
#define DUMP_CAUSE_SPECIAL_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "dump/cause/region.h"

namespace vmm {

// Explains a null pointer, a poison pattern (include/linux/poison.h) or an error code, each also with the offset of a
// field of up to one page added. None for any other value.
std::optional<AddressMeaning> ExplainSpecialValue(uint64_t value);

}  // namespace vmm

#endif  // DUMP_CAUSE_SPECIAL_VALUES_H_
