// The live dumps of a run as JSON: for its record, and for the note in each of the dumps.
#ifndef VMM_OUTCOME_LIVE_DUMP_JSON_H_
#define VMM_OUTCOME_LIVE_DUMP_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "vmm/config/vm_config.h"
#include "vmm/outcome/live_dump.h"

namespace vmm {

// {made, failed, last: [...]}: docs/result-json.md.
nlohmann::ordered_json LiveDumpsJson(const LiveDumps& dumps);

// The note "VMM" of `dump`, which is not written yet. Its member "live" is the mark of a dump of a living guest:
// docs/abi/vmcore.md.
std::string LiveDumpNoteJson(const VmConfig& config, const LiveDump& dump);

}  // namespace vmm

#endif  // VMM_OUTCOME_LIVE_DUMP_JSON_H_
