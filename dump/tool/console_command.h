// `vmcore console`: finds the kernel's reports of trouble in a log.
#ifndef DUMP_TOOL_CONSOLE_COMMAND_H_
#define DUMP_TOOL_CONSOLE_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command ConsoleCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_CONSOLE_COMMAND_H_
