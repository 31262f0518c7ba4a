// Results as KTAP, version 1, for harnesses that read it: kunit.py, kselftest's scripts, LAVA, prove.
#ifndef VMM_KTAP_KTAP_TEXT_H_
#define VMM_KTAP_KTAP_TEXT_H_

#include <string>

#include "vmm/ktap/test_result.h"

namespace vmm {

// Whole and valid whatever the tree holds: each level has a version line, a plan that is met, and numbers from 1. The
// test that was running at a death is "not ok N name # panic: message", and those after it "ok N name # SKIP not run".
// Diagnostics that a reader could take for results have "| " in front. Recurses as deep as the tree.
std::string KtapText(const ResultTree& tree);

}  // namespace vmm

#endif  // VMM_KTAP_KTAP_TEXT_H_
