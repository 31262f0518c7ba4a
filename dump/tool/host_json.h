// The host's side of a death for programs.
#ifndef DUMP_TOOL_HOST_JSON_H_
#define DUMP_TOOL_HOST_JSON_H_

#include <nlohmann/json.hpp>

#include "dump/flight/host_story.h"

namespace vmm {

// One object, its schema in docs/vmcore-tool.md; null where a dump has no such notes.
nlohmann::ordered_json HostJson(const HostStory& story);

}  // namespace vmm

#endif  // DUMP_TOOL_HOST_JSON_H_
