// What a dump tells about how its guest died, as plain data: for `vmcore report`, result.json and whoever asks.
#ifndef DUMP_KERNEL_KERNEL_REPORT_H_
#define DUMP_KERNEL_KERNEL_REPORT_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dump/kernel/kernel_view.h"
#include "dump/kernel/panic_message.h"

namespace vmm {

// Lines of the log's end that a short report shows.
inline constexpr size_t kLogLines = 40;

struct ReportFrame {
  StackFrame frame;
  std::optional<KernelView::Place> place;

  // Not a guess, or one from which the unwinder went on: that counts like the frames that it led to. In a dump by kdump
  // it is panic() itself.
  bool known = true;

  // "panic+0x146/0x31f", "pvpanic_panic_notify+0x12/0x30 [pvpanic]"; the bare address where no function is known.
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
  std::string symbols;                // where they come from; empty where there are none
  std::optional<uint64_t> uptime_ns;  // of the last line in the log
  PanicMessage message;
  std::optional<int> panic_cpu;  // by the kernel's word, else the one with panic() in its backtrace, else dead_cpu
  std::optional<std::string> taint;
  std::string signature;  // CrashSignature() of panic_cpu's frames; empty where nothing died
  std::vector<CpuReport> cpus;
  std::vector<Module> modules;
  std::vector<LogRecord> log;
  std::vector<std::string> missing;  // what could not be told, and why
};

// `cpus` are in Linux's order. With at most `log_records` of the log's end. `dead_cpu`: the one that somebody else
// knows to have died, for a kernel that does not say which did.
KernelReport MakeKernelReport(KernelView& view, std::span<const CpuState> cpus, size_t log_records = SIZE_MAX,
                              std::optional<int> dead_cpu = std::nullopt);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_REPORT_H_
