// `vmcore report`: tells from the dump alone how the kernel died.
#ifndef DUMP_TOOL_REPORT_COMMAND_H_
#define DUMP_TOOL_REPORT_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command ReportCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_REPORT_COMMAND_H_
