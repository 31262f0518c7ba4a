#include "dump/html/page.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/console/advice.h"
#include "dump/html/cause_section.h"
#include "dump/html/escape.h"
#include "dump/html/host_tables.h"
#include "dump/html/page_assets.h"
#include "dump/html/time_line_svg.h"

namespace vmm {
namespace {

constexpr size_t kStacks = 64;
constexpr size_t kFrames = 100;
constexpr size_t kModules = 300;
constexpr size_t kLogRecords = 200;

class Page {
 public:
  Page(const std::string& name, const KernelReport& report, const HostStory& story, std::ostream& out,
       const Cause* cause)
      : name_(name), report_(report), story_(story), out_(out), cause_(cause) {}

  void Print() {
    PrintHead();
    PrintDeath();
    if (cause_ != nullptr) PrintCauseSection(*cause_, out_);
    if (!story_.empty()) {
      Heading("Time line");
      out_ << "<section>\n";
      PrintTimeLine(story_, out_);
      out_ << "</section>\n";
      Heading("What the host saw");
      PrintSums(story_, out_);
    }
    PrintStacks();
    PrintLog();
    PrintHostDetails(story_, out_);
    PrintModules();
    out_ << "<div id=\"tip\" hidden></div>\n<script>" << kPageScript << "</script>\n</body>\n</html>\n";
  }

 private:
  void Heading(std::string_view text) { out_ << "<h2>" << text << "</h2>\n"; }
  void Fact(std::string_view label, const std::string& value) {
    if (!value.empty()) out_ << "<dt>" << label << "</dt><dd>" << Escape(value) << "</dd>\n";
  }

  void PrintHead() {
    out_ << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src-elem '"
         << kPageStyleHash << "'; style-src-attr 'unsafe-inline'; script-src '" << kPageScriptHash
         << "'; base-uri 'none'; form-action 'none'\">\n"
         << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         << "<title>" << Title() << "</title>\n<style>" << kPageStyle << "</style>\n</head>\n<body>\n";
  }

  std::string Title() const {
    const PanicMessage& message = report_.message;
    if (!message.panic.empty()) return "Kernel panic: " + Escape(message.panic, false, 200);
    if (!message.trouble.empty()) return Escape(message.trouble, false, 200);
    return report_.log.empty() ? "The kernel's log could not be read" : "No panic in the kernel's log";
  }

  void PrintDeath() {
    const bool dead = !report_.message.panic.empty() || !report_.message.trouble.empty();
    out_ << "<header>\n<div class=\"kicker\">" << Escape(name_) << "</div>\n"
         << "<h1" << (dead ? " class=\"death\"" : "") << ">" << Title() << "</h1>\n<dl class=\"facts\">\n";
    if (!report_.message.panic.empty()) Fact("before", report_.message.trouble);
    if (report_.cause.has_value()) {
      Fact("title", report_.cause->title);
    }
    if (cause_ != nullptr && !cause_->why.empty()) {
      Fact("why", absl::StrFormat("%s [%s]", cause_->why, CertaintyName(cause_->certainty)));
    }
    if (report_.cause.has_value()) {
      Fact("next", std::string(NextStep(report_.cause->kind)));
    }
    Fact("kernel", report_.release);
    if (report_.uptime_ns.has_value()) {
      Fact("up", absl::StrFormat("%.6f s, by the log's last line", static_cast<double>(*report_.uptime_ns) / 1e9));
    }
    Fact("died on", DiedOn());
    if (report_.taint.has_value()) Fact("tainted", report_.taint->empty() ? "no" : *report_.taint);
    Fact("signature", report_.signature);
    Fact("symbols", report_.symbols);
    for (const std::string& missing : report_.missing) Fact("missing", missing);
    for (const std::string& refused : story_.refused) Fact("refused", refused);
    if (story_.empty()) Fact("host's side", "none: the dump has no notes of it");
    out_ << "</dl>\n</header>\n";
  }

  std::string DiedOn() const {
    if (!report_.panic_cpu.has_value()) return "";
    return HeadingOf(report_.cpus[static_cast<size_t>(*report_.panic_cpu)]);
  }

  static std::string HeadingOf(const CpuReport& cpu) {
    std::string text = absl::StrFormat("CPU %d", cpu.cpu);
    if (cpu.task.has_value()) {
      text += ": " + cpu.task->comm;
      if (cpu.task->pid.has_value()) text += absl::StrFormat(", pid %d", *cpu.task->pid);
    }
    return text;
  }

  // The CPU that died comes first, with its stack open. The others follow.
  void PrintStacks() {
    if (report_.cpus.empty()) return;
    Heading("Stacks");
    if (report_.panic_cpu.has_value()) PrintStack(report_.cpus[static_cast<size_t>(*report_.panic_cpu)], true);
    size_t shown = 0;
    for (const CpuReport& cpu : report_.cpus) {
      if (cpu.cpu == report_.panic_cpu) continue;
      if (shown++ == kStacks) {
        out_ << absl::StrFormat("<p class=\"note\">The first %d of %d CPUs.</p>\n", kStacks, report_.cpus.size());
        return;
      }
      PrintStack(cpu, report_.cpus.size() <= 2);
    }
  }

  void PrintStack(const CpuReport& cpu, bool open) {
    out_ << "<details" << (open ? " open" : "") << "><summary><b>" << Escape(HeadingOf(cpu)) << "</b>"
         << (cpu.cpu == report_.panic_cpu ? ", died here" : "") << "</summary>\n<pre>";
    for (size_t i = 0; i < cpu.frames.size() && i < kFrames; ++i) {
      const ReportFrame& frame = cpu.frames[i];
      if (frame.frame.interrupted && frame.frame.at != 0)
        out_ << "<span class=\"dim\">    interrupt or exception</span>\n";
      const std::string at = frame.frame.at == 0 ? std::string(16, ' ') : absl::StrFormat("%016x", frame.frame.at);
      out_ << absl::StrFormat("<span class=\"dim\">%3d  %s</span>  %s%s\n", i, at, frame.frame.guess ? "? " : "",
                              Escape(frame.Name(), false, 300));
    }
    if (cpu.user.has_value()) {
      out_ << absl::StrFormat("<span class=\"dim\">    user mode: rip %#x, rsp %#x, orig_rax %d</span>", cpu.user->ip,
                              cpu.user->sp, static_cast<int64_t>(cpu.user->orig_ax));
    } else {
      out_ << "<span class=\"dim\">    " << Escape(cpu.end) << "</span>";
    }
    out_ << "</pre></details>\n";
  }

  void PrintLog() {
    if (report_.log.empty()) return;
    Heading("Log");
    const size_t first = report_.log.size() - std::min(report_.log.size(), kLogRecords);
    out_ << absl::StrFormat("<p class=\"note\">The last %d records, out of the guest's memory.</p>\n<pre>",
                            report_.log.size() - first);
    for (size_t i = first; i < report_.log.size(); ++i) {
      const LogRecord& record = report_.log[i];
      constexpr uint8_t kError = 3;
      const std::string text = Escape(FormatLogRecord(record), /*lines=*/true);
      if (record.level <= kError) {
        out_ << "<span class=\"bad\">" << text << "</span>\n";
      } else {
        out_ << text << "\n";
      }
    }
    out_ << "</pre>\n";
  }

  void PrintModules() {
    if (report_.modules.empty()) return;
    out_ << absl::StrFormat("<details><summary><b>Modules</b>, %d</summary>\n<pre>", report_.modules.size());
    for (size_t i = 0; i < report_.modules.size() && i < kModules; ++i) {
      const Module& module = report_.modules[i];
      out_ << absl::StrFormat("%016x %9d  %s\n", module.base, module.size, Escape(module.name, false, 100));
    }
    out_ << "</pre></details>\n";
  }

  const std::string& name_;
  const KernelReport& report_;
  const HostStory& story_;
  std::ostream& out_;
  const Cause* const cause_;  // may be null
};

}  // namespace

void PrintPage(const std::string& name, const KernelReport& report, const HostStory& story, std::ostream& out,
               const Cause* cause) {
  Page(name, report, story, out, cause).Print();
}

}  // namespace vmm
