// `vmcore guest` for a dump of a Xen machine: its PV domains.
#ifndef DUMP_TOOL_PV_GUESTS_H_
#define DUMP_TOOL_PV_GUESTS_H_

#include "dump/read/vmcore.h"
#include "dump/tool/command.h"
#include "dump/xen/xen_machine.h"

namespace vmm {

// Each returns the exit code. `call` is that of `vmcore guest`, its options checked.
int ListPvGuests(const Invocation& call, const Vmcore& core, const XenMachine& xen);
int ExtractPvGuest(const Invocation& call, const Vmcore& core, const XenMachine& xen);

}  // namespace vmm

#endif  // DUMP_TOOL_PV_GUESTS_H_
