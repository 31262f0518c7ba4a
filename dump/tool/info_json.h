// The result of `vmcore info --json`.
#ifndef DUMP_TOOL_INFO_JSON_H_
#define DUMP_TOOL_INFO_JSON_H_

#include <string>

#include "dump/tool/inspected.h"

namespace vmm {

// One JSON object, in ASCII. Addresses and registers are hexadecimal strings; sizes are numbers.
std::string InfoJson(const Inspected& seen);

}  // namespace vmm

#endif  // DUMP_TOOL_INFO_JSON_H_
