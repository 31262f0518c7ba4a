// `vmcore tasks`: all tasks of a dump's guest, with what each waits for.
#ifndef DUMP_TOOL_TASKS_COMMAND_H_
#define DUMP_TOOL_TASKS_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command TasksCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_TASKS_COMMAND_H_
