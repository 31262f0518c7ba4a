#include "dump/kernel/kernel_report.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "dump/kernel/death_title.h"

namespace vmm {
namespace {

CpuReport ReportCpu(KernelView& view, int number, const CpuState& state) {
  CpuReport cpu;
  cpu.cpu = number;
  cpu.state = state;
  if (state.started) {
    const absl::StatusOr<Task> task = view.TaskOn(number);
    if (task.ok()) cpu.task = *task;
  }
  Backtrace backtrace = view.Unwind(state);
  for (const StackFrame& frame : backtrace.frames) {
    std::optional<KernelView::Place> place = view.Describe(frame.lookup_ip());
    if (place.has_value() && !frame.interrupted) ++place->offset;  // the offset of the return address itself
    cpu.frames.push_back({frame, std::move(place), /*known=*/!frame.guess});
  }
  for (size_t i = 0; i + 1 < cpu.frames.size(); ++i) {
    cpu.frames[i].known = cpu.frames[i].known || !cpu.frames[i + 1].frame.guess;
  }
  cpu.user = backtrace.user;
  cpu.end = std::move(backtrace.end);
  return cpu;
}

std::vector<SignatureFrame> SignatureFrames(const CpuReport& cpu) {
  std::vector<SignatureFrame> frames;
  for (const ReportFrame& frame : cpu.frames) {
    if (!frame.known || !frame.place.has_value()) continue;
    // The first frame comes from the vCPU's registers: no interrupt saved them.
    frames.push_back({frame.place->function, frame.frame.interrupted && frame.frame.at != 0});
  }
  return frames;
}

std::vector<DeathFrame> DeathFrames(const KernelReport& report) {
  std::vector<DeathFrame> frames;
  if (!report.panic_cpu.has_value()) return frames;
  for (const ReportFrame& frame : report.cpus[static_cast<size_t>(*report.panic_cpu)].frames) {
    if (!frame.known || !frame.place.has_value() || frame.place->function.empty()) continue;
    const KernelView::Place& place = *frame.place;
    // The first frame comes from the vCPU's registers: no interrupt saved them.
    frames.push_back(
        {place.function, place.offset, place.size, place.module, frame.frame.interrupted && frame.frame.at != 0});
  }
  return frames;
}

bool HasPanic(const CpuReport& cpu) {
  return std::any_of(cpu.frames.begin(), cpu.frames.end(), [](const ReportFrame& frame) {
    return frame.known && frame.place.has_value() && frame.place->function == "panic";
  });
}

}  // namespace

std::string ReportFrame::Name() const {
  if (!place.has_value()) return absl::StrFormat("%#x", frame.ip);
  std::string name = place->function.empty() ? absl::StrFormat("%#x", frame.ip)
                                             : absl::StrFormat("%s+%#x", place->function, place->offset);
  if (!place->function.empty() && place->size != 0) name += absl::StrFormat("/%#x", place->size);
  if (!place->module.empty()) name += absl::StrFormat(" [%s]", place->module);
  return name;
}

KernelReport MakeKernelReport(KernelView& view, std::span<const CpuState> cpus, size_t log_records,
                              std::optional<int> dead_cpu) {
  KernelReport report;
  report.release = view.Release();
  report.banner = view.Banner();
  if (view.symbols() != nullptr) {
    report.symbols = absl::StrFormat("%s (%d)", view.symbols()->Source(), view.symbols()->size());
  }
  if (const std::optional<uint64_t> mask = view.TaintMask(); mask.has_value()) report.taint = TaintLetters(*mask);

  absl::StatusOr<std::vector<LogRecord>> log = view.ReadLog();
  if (log.ok()) {
    report.log = *std::move(log);
    report.message = FindPanicMessage(report.log);
    if (!report.log.empty()) report.uptime_ns = report.log.back().time_ns;
    if (report.log.size() == kMaxLogRecords) {
      report.missing.push_back(absl::StrFormat("kernel log: only the last %d records were read", kMaxLogRecords));
    }
  } else {
    report.missing.emplace_back(log.status().message());
  }

  if (cpus.size() > kCpusBudget.steps) {
    report.missing.push_back(
        absl::StrFormat("%d CPUs: only the first %d are reported", cpus.size(), kCpusBudget.steps));
    cpus = cpus.first(kCpusBudget.steps);
  }
  for (size_t i = 0; i < cpus.size(); ++i) report.cpus.push_back(ReportCpu(view, static_cast<int>(i), cpus[i]));
  report.panic_cpu = view.PanicCpu();
  if (!report.panic_cpu.has_value() || static_cast<size_t>(*report.panic_cpu) >= report.cpus.size()) {
    const auto with_panic = std::find_if(report.cpus.begin(), report.cpus.end(), HasPanic);
    report.panic_cpu = with_panic == report.cpus.end() ? dead_cpu : std::optional<int>(with_panic->cpu);
    if (report.panic_cpu.has_value() && static_cast<size_t>(*report.panic_cpu) >= report.cpus.size()) {
      report.panic_cpu.reset();  // among the CPUs that were cut
    }
  }
  report.cause = FindDeathTitle(report.log, DeathFrames(report));
  if (report.log.size() > log_records) {
    report.log.erase(report.log.begin(), report.log.end() - static_cast<ptrdiff_t>(log_records));
  }
  if (report.cause.has_value()) {
    report.signature = report.cause->signature;
  } else if (report.panic_cpu.has_value()) {
    report.signature =
        CrashSignature(report.message, SignatureFrames(report.cpus[static_cast<size_t>(*report.panic_cpu)]));
  } else if (!report.message.empty()) {
    report.signature = CrashSignature(report.message, {});
  }
  report.modules = view.modules();
  std::vector<std::string> why_not = view.why_not();
  report.missing.insert(report.missing.begin(), std::make_move_iterator(why_not.begin()),
                        std::make_move_iterator(why_not.end()));
  return report;
}

}  // namespace vmm
