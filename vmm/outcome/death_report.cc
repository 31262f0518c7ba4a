#include "vmm/outcome/death_report.h"

#include <algorithm>

#include "base/log.h"
#include "dump/kernel/kernel_report.h"

namespace vmm {

DeathReport ReportDeath(const VmSnapshot& snapshot, int dead_vcpu, const SymbolList* symbols) {
  DeathReport death;
  const FoundKernel found = FindKernel(snapshot);
  absl::StatusOr<std::unique_ptr<KernelView>> view = absl::UnknownError("not opened");
  if (symbols != nullptr && found.map.has_value()) {
    view = KernelView::Open(*snapshot.memory, found, std::make_unique<SymbolList>(*symbols));
    if (!view.ok()) death.missing.emplace_back(view.status().message());
  }
  if (!view.ok()) view = KernelView::Open(*snapshot.memory, found);
  if (!view.ok()) {
    death.missing.emplace_back(view.status().message());
    return death;
  }
  const bool is_known = dead_vcpu >= 0 && static_cast<size_t>(dead_vcpu) < snapshot.cpus.size();
  const KernelReport report =
      MakeKernelReport(**view, snapshot.cpus, kLogLines, is_known ? std::optional<int>(dead_vcpu) : std::nullopt);
  death.message = report.message.panic.empty() ? report.message.trouble : report.message.panic;
  death.signature = report.signature;
  death.missing.insert(death.missing.end(), report.missing.begin(), report.missing.end());
  for (const LogRecord& record : report.log) death.log.push_back(FormatLogRecord(record));
  if (report.panic_cpu.has_value()) {
    for (const ReportFrame& frame : report.cpus[static_cast<size_t>(*report.panic_cpu)].frames) {
      if (frame.known) death.stack.push_back(frame.Name());
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
