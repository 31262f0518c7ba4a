// Prints a kernel's report as text.
#ifndef DUMP_TOOL_REPORT_TEXT_H_
#define DUMP_TOOL_REPORT_TEXT_H_

#include <ostream>

#include "dump/cause/cause.h"
#include "dump/kernel/kernel_report.h"

namespace vmm {

struct ReportTextOptions {
  bool registers = true;
  bool colour = false;           // with a terminal's escape sequences
  const Cause* cause = nullptr;  // null: not known
  bool live = false;             // the guest lived when it was dumped
};

void PrintReport(const KernelReport& report, const ReportTextOptions& options, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_TOOL_REPORT_TEXT_H_
