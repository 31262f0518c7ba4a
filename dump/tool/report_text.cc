#include "dump/tool/report_text.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/console/advice.h"
#include "dump/console/function_name.h"
#include "dump/read/registers.h"
#include "dump/tool/cause_text.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

class ReportText {
 public:
  ReportText(const KernelReport& report, const ReportTextOptions& options, std::ostream& out)
      : report_(report), options_(options), out_(out) {}

  void Print() {
    PrintHead();
    if (options_.cause != nullptr) PrintCause(*options_.cause, options_.registers, options_.colour, out_);
    // The CPU that died first.
    if (report_.panic_cpu.has_value()) PrintCpu(report_.cpus[static_cast<size_t>(*report_.panic_cpu)]);
    for (const CpuReport& cpu : report_.cpus) {
      if (cpu.cpu != report_.panic_cpu) PrintCpu(cpu);
    }
    PrintModules();
    PrintLog();
  }

 private:
  std::string Bold(const std::string& text) const { return options_.colour ? "\x1b[1m" + text + "\x1b[0m" : text; }
  std::string Red(const std::string& text) const { return options_.colour ? "\x1b[1;31m" + text + "\x1b[0m" : text; }
  void Heading(const std::string& text) { out_ << "\n" << Bold(text) << "\n"; }
  void Row(std::string_view label, const std::string& value) {
    if (!value.empty()) out_ << absl::StrFormat("  %-10s %s\n", label, value);
  }

  void PrintHead() {
    const std::string release = report_.release.empty() ? "of unknown release" : Printable(report_.release);
    const PanicMessage& message = report_.message;
    if (options_.live) {
      out_ << Bold(absl::StrFormat("Linux %s, a live guest", release)) << "\n";
      Row("panic", Printable(message.panic));
      Row("trouble", Printable(message.trouble));
    } else if (!message.panic.empty()) {
      out_ << Red(absl::StrFormat("Linux %s panicked: %s", release, Printable(message.panic))) << "\n";
    } else if (!message.trouble.empty()) {
      out_ << Red(absl::StrFormat("Linux %s is in trouble: %s", release, Printable(message.trouble))) << "\n";
    } else {
      const std::string_view log = report_.log.empty() ? "its log cannot be read" : "no panic in its log";
      out_ << Bold(absl::StrFormat("Linux %s, %s", release, log)) << "\n";
    }
    if (!options_.live && !message.panic.empty()) Row("before", Printable(message.trouble));
    if (report_.cause.has_value()) {
      Row("title", Printable(report_.cause->title));
      Row("where", Printable(Where()));
    }
    if (options_.cause != nullptr && !options_.cause->why.empty()) {
      Row("why", absl::StrFormat("%s [%s]", Printable(options_.cause->why), CertaintyName(options_.cause->certainty)));
    }
    if (report_.cause.has_value()) {
      Row("next", std::string(NextStep(report_.cause->kind)));
    }
    Row("version", Printable(report_.banner));
    if (report_.uptime_ns.has_value()) {
      Row("up", absl::StrFormat("%.6f s, by the log's last line", static_cast<double>(*report_.uptime_ns) / 1e9));
    }
    if (report_.taint.has_value()) Row("tainted", report_.taint->empty() ? "no" : *report_.taint);
    Row("signature", report_.signature);
    Row("symbols", Printable(report_.symbols));
    for (const std::string& missing : report_.missing) Row("missing", Printable(missing));
  }

  // "my_init, in module bad; CPU 0, sh, pid 96": as much of it as is known.
  std::string Where() const {
    const std::string& function = report_.cause->function;
    std::string where = function;
    for (const ConsoleFrame& frame : report_.cause->frames) {
      if (PlainFunctionName(frame.function) != function || frame.module.empty()) continue;
      where += ", in module " + frame.module;
      break;
    }
    if (!report_.panic_cpu.has_value()) return where;
    const CpuReport& cpu = report_.cpus[static_cast<size_t>(*report_.panic_cpu)];
    where += absl::StrFormat("%sCPU %d", where.empty() ? "" : "; ", cpu.cpu);
    if (cpu.task.has_value()) where += ", " + cpu.task->comm;
    if (cpu.task.has_value() && cpu.task->pid.has_value()) where += absl::StrFormat(", pid %d", *cpu.task->pid);
    return where;
  }

  void PrintCpu(const CpuReport& cpu) {
    std::string heading = absl::StrFormat("CPU %d", cpu.cpu);
    if (cpu.task.has_value()) {
      heading += absl::StrFormat(": %s", Printable(cpu.task->comm));
      if (cpu.task->pid.has_value()) heading += absl::StrFormat(", pid %d", *cpu.task->pid);
    }
    if (cpu.cpu == report_.panic_cpu) heading += ", panicked here";
    Heading(heading);
    int number = 0;
    for (const ReportFrame& frame : cpu.frames) {
      if (frame.frame.interrupted && frame.frame.at != 0) out_ << "      --- interrupt or exception ---\n";
      const std::string at = frame.frame.at == 0 ? std::string(18, ' ') : absl::StrFormat("[%016x]", frame.frame.at);
      out_ << absl::StrFormat("  #%-2d %s %s%s\n", number++, at, frame.frame.guess ? "? " : "",
                              Printable(frame.Name()));
    }
    if (cpu.user.has_value()) {
      out_ << absl::StrFormat("      --- user mode: rip %#x  rsp %#x  orig_rax %d\n", cpu.user->ip, cpu.user->sp,
                              static_cast<int64_t>(cpu.user->orig_ax));
    } else {
      out_ << "      --- " << Printable(cpu.end) << "\n";
    }
    if (options_.registers && cpu.state.started) PrintRegisters(cpu.state);
  }

  void PrintRegisters(const CpuState& cpu) {
    const auto registers = RegistersOf(cpu);
    for (size_t i = 0; i < registers.size(); ++i) {
      const auto& [name, value] = registers[i];
      const bool ends_line = i % 4 == 3 || i + 1 == registers.size();
      out_ << absl::StrFormat("%s%7s %016x%s", i % 4 == 0 ? "  " : "", name == "kernel_gs_base" ? "kgs" : name, value,
                              ends_line ? "\n" : "");
    }
  }

  void PrintModules() {
    if (report_.modules.empty()) return;
    Heading(absl::StrFormat("Modules: %d", report_.modules.size()));
    for (const Module& module : report_.modules) {
      out_ << absl::StrFormat("  %016x %9d  %s\n", module.base, module.size, Printable(module.name));
    }
  }

  void PrintLog() {
    if (report_.log.empty()) return;
    Heading(absl::StrFormat("Log, the last %d records", report_.log.size()));
    for (const LogRecord& record : report_.log) out_ << Printable(FormatLogRecord(record), "\n\t") << "\n";
  }

  const KernelReport& report_;
  const ReportTextOptions& options_;
  std::ostream& out_;
};

}  // namespace

void PrintReport(const KernelReport& report, const ReportTextOptions& options, std::ostream& out) {
  ReportText(report, options, out).Print();
}

}  // namespace vmm
