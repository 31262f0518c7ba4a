// The time line of all vCPUs as inline SVG, which needs no script, and its numbers for the page's script.
#ifndef DUMP_HTML_TIME_LINE_SVG_H_
#define DUMP_HTML_TIME_LINE_SVG_H_

#include <ostream>

#include "dump/flight/host_story.h"

namespace vmm {

// The most vCPUs that get a row. Nobody would read more, and the page would not be small.
inline constexpr size_t kDrawnVcpus = 32;

// Prints the windows of ChooseWindows(), one of them visible, with a legend.
void PrintTimeLine(const HostStory& story, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_HTML_TIME_LINE_SVG_H_
