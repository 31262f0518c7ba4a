// The host's side of a death, as tables.
#ifndef DUMP_HTML_HOST_TABLES_H_
#define DUMP_HTML_HOST_TABLES_H_

#include <ostream>

#include "dump/flight/host_story.h"

namespace vmm {

// Prints one row per vCPU: its CPU time, its exits, its longest moments.
void PrintSums(const HostStory& story, std::ostream& out);

// Prints the details, folded up: each vCPU's exit places and last exits, KVM's counters, the console's lines.
void PrintHostDetails(const HostStory& story, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_HTML_HOST_TABLES_H_
