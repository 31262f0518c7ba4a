// The rules for a dump's notes: which there are, their sizes and order, what VMCOREINFO says.
#ifndef DUMP_CHECK_CHECK_NOTES_H_
#define DUMP_CHECK_CHECK_NOTES_H_

#include <vector>

#include "dump/check/finding.h"
#include "dump/read/vmcore.h"

namespace vmm {

// One finding a rule, however often it is broken.
std::vector<Finding> CheckNotes(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_NOTES_H_
