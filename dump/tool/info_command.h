// `vmcore info`: describes a dump and its contents.
#ifndef DUMP_TOOL_INFO_COMMAND_H_
#define DUMP_TOOL_INFO_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command InfoCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_INFO_COMMAND_H_
