// `vmcore guest`: lists the guests of a guest (L2) in the dump of the guest that ran them, and writes a vmcore of each.
#ifndef DUMP_TOOL_GUEST_COMMAND_H_
#define DUMP_TOOL_GUEST_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command GuestCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_GUEST_COMMAND_H_
