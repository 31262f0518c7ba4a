// The time line of all vCPUs as inline SVG, which needs no script; and its numbers, for the page's script.
#ifndef DUMP_HTML_TIME_LINE_SVG_H_
#define DUMP_HTML_TIME_LINE_SVG_H_

#include <ostream>

#include "dump/flight/host_story.h"

namespace vmm {

// So many vCPUs have a row; more would be neither read nor small.
inline constexpr size_t kDrawnVcpus = 32;

// The windows of ChooseWindows(), of which one shows, with a legend.
void PrintTimeLine(const HostStory& story, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_HTML_TIME_LINE_SVG_H_
