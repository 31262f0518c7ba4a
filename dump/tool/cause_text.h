// Prints the cause of a death as text: the part of `vmcore report` between its head and its stacks.
#ifndef DUMP_TOOL_CAUSE_TEXT_H_
#define DUMP_TOOL_CAUSE_TEXT_H_

#include <ostream>

#include "dump/cause/cause.h"

namespace vmm {

// `registers`: with those of the fault, and what they point to. `colour`: with a terminal's escape sequences.
void PrintCause(const Cause& cause, bool registers, bool colour, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_TOOL_CAUSE_TEXT_H_
