// The host's side of a death as JSON.
#ifndef DUMP_TOOL_HOST_JSON_H_
#define DUMP_TOOL_HOST_JSON_H_

#include <nlohmann/json.hpp>

#include "dump/flight/host_story.h"

namespace vmm {

// One object. Its schema is in docs/vmcore-tool.md. Null if the dump has no such notes.
nlohmann::ordered_json HostJson(const HostStory& story);

}  // namespace vmm

#endif  // DUMP_TOOL_HOST_JSON_H_
