// The rules for a dump's notes: their presence, sizes and order, and the contents of VMCOREINFO.
#ifndef DUMP_CHECK_CHECK_NOTES_H_
#define DUMP_CHECK_CHECK_NOTES_H_

#include <vector>

#include "dump/check/finding.h"
#include "dump/read/vmcore.h"

namespace vmm {

// True if `core` is of a whole machine with Xen and says so (docs/abi/xen-notes.md): other rules hold for it.
bool IsXenMachines(const Vmcore& core);

// Returns one finding per rule, however often the rule is broken.
std::vector<Finding> CheckNotes(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_NOTES_H_
