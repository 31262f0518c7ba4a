// The cause of a death as JSON: `vmcore report --json` has it under "cause".
#ifndef DUMP_TOOL_CAUSE_JSON_H_
#define DUMP_TOOL_CAUSE_JSON_H_

#include <nlohmann/json_fwd.hpp>

#include "dump/cause/cause.h"

namespace vmm {

// Addresses are hexadecimal strings. docs/vmcore-tool.md describes the members.
nlohmann::ordered_json CauseJson(const Cause& cause);

}  // namespace vmm

#endif  // DUMP_TOOL_CAUSE_JSON_H_
