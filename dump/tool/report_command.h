// `vmcore report`: how the kernel died, told from the dump alone.
#ifndef DUMP_TOOL_REPORT_COMMAND_H_
#define DUMP_TOOL_REPORT_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command ReportCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_REPORT_COMMAND_H_
