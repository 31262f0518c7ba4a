// All commands of the `vmcore` tool.
#ifndef DUMP_TOOL_COMMANDS_H_
#define DUMP_TOOL_COMMANDS_H_

#include <vector>

#include "dump/tool/command.h"

namespace vmm {

// In the order in which the help lists them.
std::vector<Command> AllCommands();

}  // namespace vmm

#endif  // DUMP_TOOL_COMMANDS_H_
