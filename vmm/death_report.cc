#include "vmm/death_report.h"

#include <algorithm>

#include "dump/kernel/kernel_report.h"
#include "vmm/log.h"

namespace vmm {

DeathReport ReportDeath(const VmSnapshot& snapshot) {
  DeathReport death;
  const FoundKernel found = FindKernel(snapshot);
  const absl::StatusOr<std::unique_ptr<KernelView>> view = KernelView::Open(*snapshot.memory, found);
  if (!view.ok()) {
    death.missing.emplace_back(view.status().message());
    return death;
  }
  const KernelReport report = MakeKernelReport(**view, snapshot.cpus, kLogLines);
  death.message = report.message.panic.empty() ? report.message.trouble : report.message.panic;
  death.signature = report.signature;
  death.missing = report.missing;
  for (const LogRecord& record : report.log) death.log.push_back(FormatLogRecord(record));
  if (report.panic_cpu.has_value()) {
    for (const ReportFrame& frame : report.cpus[static_cast<size_t>(*report.panic_cpu)].frames) {
      if (!frame.frame.guess) death.stack.push_back(frame.Name());
    }
  }
  return death;
}

void TellLog(const DeathReport& report) {
  constexpr size_t kTold = 10;
  const size_t told = std::min(report.log.size(), kTold);
  if (told == 0) return;
  LogInfo("the guest's log ends with:");
  for (size_t i = report.log.size() - told; i < report.log.size(); ++i) LogInfo("  " + report.log[i]);
}

}  // namespace vmm
