#include "vmm/outcome/death_report.h"

#include <algorithm>

#include "base/log.h"
#include "dump/kernel/kernel_report.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<KernelView>> OpenKernelView(const VmSnapshot& snapshot, const FoundKernel& kernel,
                                                           const SymbolList* symbols,
                                                           std::vector<std::string>* missing) {
  if (symbols != nullptr && kernel.map.has_value()) {
    auto view = KernelView::Open(*snapshot.memory, kernel, std::make_unique<SymbolList>(*symbols));
    if (view.ok()) return view;
    if (missing != nullptr) missing->emplace_back(view.status().message());
  }
  return KernelView::Open(*snapshot.memory, kernel);
}

DeathReport ReportDeath(const VmSnapshot& snapshot, const FoundKernel& kernel, int dead_vcpu,
                        const SymbolList* symbols) {
  DeathReport death;
  const auto view = OpenKernelView(snapshot, kernel, symbols, &death.missing);
  if (!view.ok()) {
    death.missing.emplace_back(view.status().message());
    return death;
  }
  const bool is_known = dead_vcpu >= 0 && static_cast<size_t>(dead_vcpu) < snapshot.cpus.size();
  const KernelReport report =
      MakeKernelReport(**view, snapshot.cpus, kLogLines, is_known ? std::optional<int>(dead_vcpu) : std::nullopt);
  death.message = report.message.panic.empty() ? report.message.trouble : report.message.panic;
  death.signature = report.signature;
  if (report.cause.has_value()) {
    death.title = report.cause->title;
    death.function = report.cause->function;
  }
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
