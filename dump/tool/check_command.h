// `vmcore check`: lists the faults of a dump and the readers that each one breaks.
#ifndef DUMP_TOOL_CHECK_COMMAND_H_
#define DUMP_TOOL_CHECK_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command CheckCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_CHECK_COMMAND_H_
