// `vmcore guest`: the guests of a guest (L2), and a vmcore of each, out of the dump of the one that ran them.
#ifndef DUMP_TOOL_GUEST_COMMAND_H_
#define DUMP_TOOL_GUEST_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command GuestCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_GUEST_COMMAND_H_
