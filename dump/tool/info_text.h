// `vmcore info` for people.
#ifndef DUMP_TOOL_INFO_TEXT_H_
#define DUMP_TOOL_INFO_TEXT_H_

#include <ostream>

#include "dump/tool/inspected.h"

namespace vmm {

struct InfoTextOptions {
  bool all_registers = false;  // of each CPU, not one line of it
  bool all_segments = false;   // each program header, not only the first ones
};

void PrintInfo(const Inspected& seen, const InfoTextOptions& options, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_TOOL_INFO_TEXT_H_
