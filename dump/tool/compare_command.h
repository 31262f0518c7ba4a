// `vmcore compare`: tells whether two dumps hold the same machine.
#ifndef DUMP_TOOL_COMPARE_COMMAND_H_
#define DUMP_TOOL_COMPARE_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command CompareCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_COMPARE_COMMAND_H_
