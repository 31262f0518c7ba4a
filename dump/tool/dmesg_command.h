// `vmcore dmesg`: prints the kernel's log from a dump.
#ifndef DUMP_TOOL_DMESG_COMMAND_H_
#define DUMP_TOOL_DMESG_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command DmesgCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_DMESG_COMMAND_H_
