// A guest's death as one HTML page: self-contained, with no network access and no file beside it, readable without a
// script.
#ifndef DUMP_HTML_PAGE_H_
#define DUMP_HTML_PAGE_H_

#include <ostream>
#include <string>

#include "dump/cause/cause.h"
#include "dump/flight/host_story.h"
#include "dump/kernel/kernel_report.h"

namespace vmm {

// `name` is the dump's name, shown to people. All text from the dump is escaped (escape.h). Lists and lines are cut if
// they are too long for a page. Should markup slip through after all, the page's own policy allows no script but ours
// and no connection. `cause` may be null: then the page has no part about it.
void PrintPage(const std::string& name, const KernelReport& report, const HostStory& story, std::ostream& out,
               const Cause* cause = nullptr);

}  // namespace vmm

#endif  // DUMP_HTML_PAGE_H_
