// A report of how a dump's guest died, as plain data: for `vmcore report`, result.json and other callers.
#ifndef DUMP_KERNEL_KERNEL_REPORT_H_
#define DUMP_KERNEL_KERNEL_REPORT_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dump/console/console_report.h"
#include "dump/kernel/kernel_view.h"
#include "dump/kernel/panic_message.h"

namespace vmm {

// The number of lines from the log's end that a short report shows.
inline constexpr size_t kLogLines = 40;

struct ReportFrame {
  StackFrame frame;
  std::optional<KernelView::Place> place;

  // True if the frame is not a guess, or if the unwinder went on from it: then it counts like the frames that follow
  // it. In a dump by kdump, panic() itself is such a guess.
  bool known = true;

  // "panic+0x146/0x31f", "pvpanic_panic_notify+0x12/0x30 [pvpanic]"; the bare address if no function is known.
  std::string Name() const;
};

struct CpuReport {
  int cpu = 0;
  CpuState state;
  std::optional<Task> task;
  std::vector<ReportFrame> frames;
  std::optional<PtRegs> user;  // as Backtrace::user
  std::string end;             // as Backtrace::end
};

struct KernelReport {
  std::string release;
  std::string banner;
  std::string symbols;                // their source; empty: there are none
  std::optional<uint64_t> uptime_ns;  // of the last line in the log
  PanicMessage message;
  std::optional<int> panic_cpu;  // by the kernel's panic_cpu, else the one with panic() in its backtrace, else dead_cpu
  std::optional<std::string> taint;
  std::optional<ConsoleReport> cause;  // FindDeathTitle() (death_title.h): title and function to blame

  // cause->signature; if the log has no report, CrashSignature() of panic_cpu's frames. Empty: nothing died.
  std::string signature;
  std::vector<CpuReport> cpus;
  std::vector<Module> modules;
  std::vector<LogRecord> log;
  std::vector<std::string> missing;  // facts that could not be found out, and why
};

// `cpus` are in Linux's order. The report keeps at most the last `log_records` records of the log. `dead_cpu` is a CPU
// that the caller knows to have died; it is used if the kernel does not say which CPU panicked.
KernelReport MakeKernelReport(KernelView& view, std::span<const CpuState> cpus, size_t log_records = SIZE_MAX,
                              std::optional<int> dead_cpu = std::nullopt);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_REPORT_H_
