// A kernel's report as JSON.
#ifndef DUMP_TOOL_REPORT_JSON_H_
#define DUMP_TOOL_REPORT_JSON_H_

#include <string>
#include <vector>

#include "dump/cause/cause.h"
#include "dump/flight/host_story.h"
#include "dump/kernel/kernel_report.h"

namespace vmm {

// One JSON object, in ASCII. Its schema is in docs/vmcore-tool.md. `cut_short` is Invocation::cut_short(). `cause` may
// be null. `live`: the guest lived when it was dumped.
std::string ReportJson(const KernelReport& report, const HostStory& story, const std::vector<std::string>& cut_short,
                       const Cause* cause, bool live);

}  // namespace vmm

#endif  // DUMP_TOOL_REPORT_JSON_H_
