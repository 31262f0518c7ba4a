// Shell command lines that open a vmcore in common tools, ready to be pasted.
#ifndef VMM_OUTCOME_TOOL_LINES_H_
#define VMM_OUTCOME_TOOL_LINES_H_

#include <string>
#include <utility>
#include <vector>

#include "dump/write/write_vmcore.h"
#include "vmm/config/vm_config.h"

namespace vmm {

// Returns pairs of the tool's name and its command line: "crash", "drgn", "gdb", "vmcore". Includes only tools that can
// read the dump, so none for a stream. Paths are absolute. VMLINUX stands for the vmlinux if none is known from
// --symbols, --kernel, or the place where Debian's -dbg packages put it.
std::vector<std::pair<std::string, std::string>> ToolLines(const VmConfig& config, const VmcoreReport& dump);

}  // namespace vmm

#endif  // VMM_OUTCOME_TOOL_LINES_H_
