// The host's side in tables.
#ifndef DUMP_HTML_HOST_TABLES_H_
#define DUMP_HTML_HOST_TABLES_H_

#include <ostream>

#include "dump/flight/host_story.h"

namespace vmm {

// A row a vCPU: what its thread got, what it did, its longest moments.
void PrintSums(const HostStory& story, std::ostream& out);

// What one looks up: places and last exits of each vCPU, KVM's counters, the console's lines; folded up.
void PrintHostDetails(const HostStory& story, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_HTML_HOST_TABLES_H_
