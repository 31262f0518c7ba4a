// A kernel's report for people.
#ifndef DUMP_TOOL_REPORT_TEXT_H_
#define DUMP_TOOL_REPORT_TEXT_H_

#include <ostream>

#include "dump/kernel/kernel_report.h"

namespace vmm {

struct ReportTextOptions {
  bool registers = true;
  bool colour = false;  // escape sequences of a terminal
};

void PrintReport(const KernelReport& report, const ReportTextOptions& options, std::ostream& out);

}  // namespace vmm

#endif  // DUMP_TOOL_REPORT_TEXT_H_
