// A guest's death as one HTML page: complete in itself, no network, no file beside it, readable without a script.
#ifndef DUMP_HTML_PAGE_H_
#define DUMP_HTML_PAGE_H_

#include <ostream>
#include <string>

#include "dump/flight/host_story.h"
#include "dump/kernel/kernel_report.h"

namespace vmm {

// `name` is the dump's, for people. Everything out of the dump is escaped (escape.h), lists and lines are cut where
// they would be too long for a page; and should markup slip through after all, the page's own policy allows no script
// but ours and no connection.
void PrintPage(const std::string& name, const KernelReport& report, const HostStory& story, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_HTML_PAGE_H_
