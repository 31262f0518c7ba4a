// The `vmcore` tool without its process: words go in, text and an exit code come out.
#ifndef DUMP_TOOL_RUN_TOOL_H_
#define DUMP_TOOL_RUN_TOOL_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "dump/tool/command.h"

namespace vmm {

// Takes from this process all that a command does not need for its files. Returns one line for each part that this host
// cannot give. Is called once, after the words have been understood and before a file is opened.
using Confine = std::function<std::vector<std::string>(const CommandFiles&)>;

// `arguments` are the words after the program's name. RunTool() itself answers --help of the tool and of each command,
// and reports bad usage. It also returns kExitBadFile if writing to `out` failed. An
// empty `confine` leaves the process as it is.
int RunTool(const std::vector<Command>& commands, const std::vector<std::string>& arguments, std::ostream& out,
            std::ostream& err, const Confine& confine = {});

}  // namespace vmm

#endif  // DUMP_TOOL_RUN_TOOL_H_
