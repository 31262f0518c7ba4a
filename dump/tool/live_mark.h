// The mark of a dump that was made of a living guest.
#ifndef DUMP_TOOL_LIVE_MARK_H_
#define DUMP_TOOL_LIVE_MARK_H_

#include "dump/read/vmcore.h"

namespace vmm {

// True if vmm wrote `core` while its guest lived: its note "VMM" has a member "live" (docs/abi/vmcore.md).
bool IsOfLiveGuest(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_TOOL_LIVE_MARK_H_
