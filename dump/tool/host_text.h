// Prints the host's side of a death as text.
#ifndef DUMP_TOOL_HOST_TEXT_H_
#define DUMP_TOOL_HOST_TEXT_H_

#include <ostream>
#include <string>

#include "dump/flight/host_story.h"

namespace vmm {

// Prints a heading first. Prints nothing if the dump has no such notes and none was refused.
void PrintHostStory(const HostStory& story, bool colour, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_TOOL_HOST_TEXT_H_
