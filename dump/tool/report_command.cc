#include "dump/tool/report_command.h"

#include <unistd.h>

#include <iostream>

#include "dump/kernel/kernel_report.h"
#include "dump/read/kernel_of.h"
#include "dump/read/vmcore.h"
#include "dump/tool/report_json.h"
#include "dump/tool/report_text.h"

namespace vmm {
namespace {

constexpr size_t kLogLines = 40;

bool IsTerminal(const std::ostream& out) { return &out == &std::cout && isatty(STDOUT_FILENO) == 1; }

absl::StatusOr<KernelReport> MakeReport(const Invocation& call, const Vmcore& core) {
  std::unique_ptr<SymbolList> given;
  for (const char* option : {"vmlinux", "system-map"}) {
    if (!call.Has(option)) continue;
    ASSIGN_OR_RETURN(given, SymbolList::ReadFile(*call.Value(option)));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<KernelView> view,
                   KernelView::Open(core.memory(), KernelOf(core), std::move(given)));
  return MakeKernelReport(*view, core.cpus(), call.Has("all") ? SIZE_MAX : kLogLines);
}

int RunReport(const Invocation& call) {
  if (call.Has("vmlinux") && call.Has("system-map")) return call.Misused("--vmlinux or --system-map, not both");
  const auto core = Vmcore::Open(call.operands()[0]);
  if (!core.ok()) return call.Fail(core.status());
  const absl::StatusOr<KernelReport> report = MakeReport(call, **core);
  if (!report.ok()) return call.Fail(report.status());
  if (call.json()) {
    call.out() << ReportJson(*report) << "\n";
  } else {
    PrintReport(*report, {.registers = !call.Has("brief"), .colour = IsTerminal(call.out())}, call.out());
  }
  return kExitFine;
}

}  // namespace

Command ReportCommand() {
  Command command;
  command.name = "report";
  command.operands = "FILE";
  command.summary = "how the kernel died: message, each CPU's task and backtrace, modules, log";
  command.details =
      "Needs no debug symbols: names, types and unwind tables are read from the kernel's own memory.\n"
      "A frame marked ? was found by a look through the stack and may be left over from another call.\n";
  command.options = {{"vmlinux", "F", "take the symbols from this vmlinux"},
                     {"system-map", "F", "take the symbols from this System.map"},
                     {"brief", "", "without registers"},
                     {"all", "", "the whole log, not only its last lines"}};
  command.run = RunReport;
  return command;
}

}  // namespace vmm
