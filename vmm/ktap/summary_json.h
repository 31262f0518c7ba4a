// The short form of a tree for the record of a run: totals, and the tests that did not pass.
#ifndef VMM_KTAP_SUMMARY_JSON_H_
#define VMM_KTAP_SUMMARY_JSON_H_

#include "nlohmann/json.hpp"
#include "vmm/ktap/test_result.h"

namespace vmm {

// docs/ktap.md promises its fields. At most 100 failures and 20 errors of the stream are listed; their numbers are
// always exact. Strings may be any bytes: write it with base/json_text.h.
nlohmann::ordered_json TestsJson(const ResultTree& tree);

}  // namespace vmm

#endif  // VMM_KTAP_SUMMARY_JSON_H_
