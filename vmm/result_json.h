// The JSON record of a run, --result: what a harness reads instead of our words.
// docs/result-json.md promises its fields.
#ifndef VMM_RESULT_JSON_H_
#define VMM_RESULT_JSON_H_

#include <string>

#include "vmm/run_outcome.h"
#include "vmm/vm_config.h"

namespace vmm {

// The record of a run as text, one JSON object, with a newline at its end.
std::string ResultJson(const VmConfig& config, const RunOutcome& outcome);

// What the dump itself keeps of its run, in a note of our own: docs/abi/vmcore.md.
std::string DumpNoteJson(const VmConfig& config, const RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_RESULT_JSON_H_
