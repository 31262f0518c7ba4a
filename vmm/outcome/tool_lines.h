// Lines for a shell that open a vmcore in the tools that people use, ready to be pasted.
#ifndef VMM_OUTCOME_TOOL_LINES_H_
#define VMM_OUTCOME_TOOL_LINES_H_

#include <string>
#include <utility>
#include <vector>

#include "dump/write/write_vmcore.h"
#include "vmm/config/vm_config.h"

namespace vmm {

// The tool's name and its line: "crash", "drgn", "gdb", "vmcore". Of those only that can read the dump; none for a
// stream. Paths are absolute. Where no vmlinux is known (--symbols, --kernel, or where Debian's -dbg packages put it),
// VMLINUX stands for it.
std::vector<std::pair<std::string, std::string>> ToolLines(const VmConfig& config, const VmcoreReport& dump);

}  // namespace vmm

#endif  // VMM_OUTCOME_TOOL_LINES_H_
