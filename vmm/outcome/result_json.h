// The JSON record of a run, --result: harnesses read it instead of our messages. docs/result-json.md promises its
// fields.
#ifndef VMM_OUTCOME_RESULT_JSON_H_
#define VMM_OUTCOME_RESULT_JSON_H_

#include <string>

#include "vmm/config/vm_config.h"
#include "vmm/outcome/run_outcome.h"

namespace vmm {

// Returns the record of a run as text: one JSON object, with a newline at its end.
std::string ResultJson(const VmConfig& config, const RunOutcome& outcome);

// Returns the part of the record that the dump itself keeps, in a note of our own: docs/abi/vmcore.md.
std::string DumpNoteJson(const VmConfig& config, const RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_OUTCOME_RESULT_JSON_H_
