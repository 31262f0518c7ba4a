// The `vmcore` tool without its process: words go in, text and an exit code come out.
#ifndef DUMP_TOOL_RUN_TOOL_H_
#define DUMP_TOOL_RUN_TOOL_H_

#include <ostream>
#include <string>
#include <vector>

#include "dump/tool/command.h"

namespace vmm {

// `arguments` are the words after the program's name. RunTool() itself answers --help of the tool and of each command,
// and reports bad usage. It also returns kExitBadFile if writing to `out` failed.
int RunTool(const std::vector<Command>& commands, const std::vector<std::string>& arguments, std::ostream& out,
            std::ostream& err);

}  // namespace vmm

#endif  // DUMP_TOOL_RUN_TOOL_H_
