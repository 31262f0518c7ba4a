// The cause of a death as a part of the page: instruction, memory, locks, tasks.
#ifndef DUMP_HTML_CAUSE_SECTION_H_
#define DUMP_HTML_CAUSE_SECTION_H_

#include <ostream>

#include "dump/cause/cause.h"

namespace vmm {

// Prints nothing about what `cause` does not know. All text of the guest's is escaped. Lists are cut.
void PrintCauseSection(const Cause& cause, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_HTML_CAUSE_SECTION_H_
