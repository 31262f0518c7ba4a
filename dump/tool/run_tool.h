// The `vmcore` tool but for its process: words in, text and an exit code out.
#ifndef DUMP_TOOL_RUN_TOOL_H_
#define DUMP_TOOL_RUN_TOOL_H_

#include <ostream>
#include <string>
#include <vector>

#include "dump/tool/command.h"

namespace vmm {

// `arguments` are what stands behind the program's name. --help of the tool and of each command is
// answered here, and so is bad usage. kExitBadFile too where `out` failed.
int RunTool(const std::vector<Command>& commands, const std::vector<std::string>& arguments, std::ostream& out,
            std::ostream& err);

}  // namespace vmm

#endif  // DUMP_TOOL_RUN_TOOL_H_
