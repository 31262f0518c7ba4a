// `vmcore convert`: writes a dump in another form.
#ifndef DUMP_TOOL_CONVERT_COMMAND_H_
#define DUMP_TOOL_CONVERT_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command ConvertCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_CONVERT_COMMAND_H_
