// Prints the result of `vmcore info` as text.
#ifndef DUMP_TOOL_INFO_TEXT_H_
#define DUMP_TOOL_INFO_TEXT_H_

#include <ostream>

#include "dump/tool/inspected.h"

namespace vmm {

struct InfoTextOptions {
  bool all_registers = false;  // all registers of each CPU, not only one line
  bool all_segments = false;   // all program headers, not only the first ones
};

void PrintInfo(const Inspected& seen, const InfoTextOptions& options, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_TOOL_INFO_TEXT_H_
