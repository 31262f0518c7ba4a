// `vmcore info`: what a dump is and what it holds.
#ifndef DUMP_TOOL_INFO_COMMAND_H_
#define DUMP_TOOL_INFO_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command InfoCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_INFO_COMMAND_H_
