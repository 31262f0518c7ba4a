#include "dump/tool/report_command.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include "absl/strings/str_format.h"
#include "base/file_sink.h"
#include "base/output_dir.h"
#include "base/status.h"
#include "dump/cause/cause.h"
#include "dump/flight/host_story.h"
#include "dump/html/page.h"
#include "dump/kernel/kernel_report.h"
#include "dump/kernel/other_kernel.h"
#include "dump/read/vmcore.h"
#include "dump/tool/found_xen.h"
#include "dump/tool/hang_registers_text.h"
#include "dump/tool/host_text.h"
#include "dump/tool/live_mark.h"
#include "dump/tool/open_core.h"
#include "dump/tool/report_json.h"
#include "dump/tool/report_text.h"
#include "dump/tool/virtio_text.h"

namespace vmm {
namespace {

bool IsTerminal(const std::ostream& out) { return &out == &std::cout && isatty(STDOUT_FILENO) == 1; }

// The function at each RIP of `core`'s note VMM-HANG-REGS.
std::map<uint64_t, std::string> NamesBeforeNmi(const Vmcore& core, KernelView& view) {
  std::map<uint64_t, std::string> names;
  const auto note = HangRegistersOf(core);
  if (!note.has_value() || !note->ok()) return names;
  for (const std::optional<CpuState>& cpu : (*note)->before) {
    if (!cpu.has_value() || !cpu->started) continue;
    const ReportFrame frame{.frame = {.ip = cpu->rip}, .place = view.Describe(cpu->rip)};
    if (frame.place.has_value()) names[cpu->rip] = frame.Name();
  }
  return names;
}

// Null if no option names any.
absl::StatusOr<std::unique_ptr<SymbolList>> GivenSymbols(const Invocation& call) {
  for (const char* option : {"vmlinux", "system-map"}) {
    if (!call.Has(option)) continue;
    return Annotate(SymbolList::ReadFile(*call.Value(option)), absl::StrFormat("--%s", option));
  }
  return nullptr;
}

// Also sets `cause`.
absl::StatusOr<KernelReport> MakeReport(const Invocation& call, const Vmcore& core, std::unique_ptr<SymbolList> given,
                                        std::map<uint64_t, std::string>& names_before_nmi,
                                        std::optional<Cause>& cause) {
  LinuxOf subject = FindLinux(core);
  const FoundKernel& kernel = subject.kernel;
  std::string registers;  // whose registers they are, if that is in doubt
  if (kernel.map.has_value()) {
    const std::optional<OtherKernel> other = FindOtherKernel(*subject.memory, subject.cpus, *kernel.map);
    if (other.has_value()) registers = DescribeOtherKernel(*other, *kernel.map);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<KernelView> view, KernelView::Open(*subject.memory, kernel, std::move(given)));
  names_before_nmi = NamesBeforeNmi(core, *view);
  KernelReport report = MakeKernelReport(*view, subject.cpus, call.Has("all") ? SIZE_MAX : kLogLines);
  cause = FindCause(*view, *subject.memory, kernel.vmcoreinfo.has_value() ? &*kernel.vmcoreinfo : nullptr, report,
                    subject.cpus);
  report.missing.insert(report.missing.end(), cause->missing.begin(), cause->missing.end());
  for (std::string& remark : subject.remarks) report.missing.push_back(std::move(remark));
  if (!registers.empty()) report.missing.push_back(std::move(registers));
  return report;
}

void PrintHtml(const Invocation& call, const KernelReport& report, const HostStory& story, const Cause* cause,
               std::ostream& out) {
  PrintPage(std::filesystem::path(call.operands()[0]).filename().string(), report, story, out, cause);
}

// The file of --output. Its name must be free when it is opened. The file gets that name once it is whole.
class PageFile {
 public:
  static absl::StatusOr<std::unique_ptr<PageFile>> Create(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(OutputDir dir, OutputDir::Open(DirectoryOf(path)));
    std::unique_ptr<PageFile> file(new PageFile(std::move(dir)));
    ASSIGN_OR_RETURN(file->sink_, FileSink::Create(file->dir_, path.filename().string()));
    return file;
  }

  absl::Status Write(const std::string& page) {
    RETURN_IF_ERROR(sink_->WriteAt(0, {reinterpret_cast<const uint8_t*>(page.data()), page.size()}));
    RETURN_IF_ERROR(sink_->Sync());
    return sink_->Commit();
  }

 private:
  explicit PageFile(OutputDir dir) : dir_(std::move(dir)) {}

  const OutputDir dir_;
  std::unique_ptr<FileSink> sink_;
};

CommandFiles FilesOf(const Invocation& call) {
  CommandFiles files = call.Files();
  for (const char* option : {"vmlinux", "system-map"}) {
    if (const auto path = call.Value(option)) files.inputs.push_back(*path);
  }
  return files;
}

std::string_view Misuse(const Invocation& call) {
  if (call.Has("vmlinux") && call.Has("system-map")) return "--vmlinux or --system-map, not both";
  if (call.Has("html") && call.json()) return "--html or --json, not both";
  if (call.Has("output") && !call.Has("html")) return "--output is for --html";
  return "";
}

int RunReport(const Invocation& call) {
  if (const std::string_view misuse = Misuse(call); !misuse.empty()) return call.Misused(misuse);
  std::unique_ptr<PageFile> file;
  if (const std::optional<std::string> path = call.Value("output"); path.has_value()) {
    absl::StatusOr<std::unique_ptr<PageFile>> created = Annotate(PageFile::Create(*path), "--output=" + *path);
    if (!created.ok()) return call.Fail(created.status());
    file = *std::move(created);
  }
  absl::StatusOr<std::unique_ptr<SymbolList>> given = GivenSymbols(call);
  if (!given.ok()) return call.Fail(given.status());
  const auto core = OpenCore(call, call.operands()[0]);
  if (!core.ok()) return call.Fail(core.status());
  const bool live = IsOfLiveGuest(**core);
  const HostStory story = ReadHostStory((*core)->notes());
  std::map<uint64_t, std::string> names_before_nmi;
  std::optional<Cause> found_cause;
  absl::StatusOr<KernelReport> report = MakeReport(call, **core, *std::move(given), names_before_nmi, found_cause);
  const Cause* const cause = found_cause.has_value() ? &*found_cause : nullptr;
  // If the guest is no Linux, or did not get that far, the host still has its story.
  if (!report.ok() && story.empty()) return call.Fail(report.status());
  if (!report.ok()) report = KernelReport{.missing = {"kernel: " + std::string(report.status().message())}};
  report->missing.insert(report->missing.begin(), call.cut_short().begin(), call.cut_short().end());

  if (file != nullptr) {
    std::ostringstream page;
    PrintHtml(call, *report, story, cause, page);
    const absl::Status written = file->Write(page.str());
    return written.ok() ? kExitFine : call.Fail(written);
  }
  if (call.Has("html")) {
    PrintHtml(call, *report, story, cause, call.out());
    return kExitFine;
  }
  if (call.json()) {
    call.out() << ReportJson(*report, story, call.cut_short(), cause, live) << "\n";
    return kExitFine;
  }
  const bool colour = IsTerminal(call.out());
  PrintReport(*report, {.registers = !call.Has("brief"), .colour = colour, .cause = cause, .live = live}, call.out());
  PrintHangRegisters(
      **core, [&](uint64_t rip) { return names_before_nmi[rip]; }, call.out());
  PrintVirtio(**core, call.out());
  PrintHostStory(story, colour, call.out());
  return kExitFine;
}

}  // namespace

Command ReportCommand() {
  Command command;
  command.name = "report";
  command.operands = "FILE";
  command.summary = "how the kernel died: message, stacks, modules, log, and what the host saw of it";
  command.details =
      "Needs no debug symbols: names, types and unwind tables are read from the kernel's own memory.\n"
      "A frame marked ? was found by a look through the stack and may be left over from another call.\n";
  command.options = {{"vmlinux", "F", "take the symbols from this vmlinux"},
                     {"system-map", "F", "take the symbols from this System.map"},
                     {"html", "", "one HTML page, with a time line of each vCPU"},
                     {"output", "PAGE", "the page's file, whose name must be free; also -o PAGE"},
                     {"brief", "", "without registers"},
                     {"all", "", "the whole log, not only its last lines"}};
  command.files = FilesOf;
  command.run = RunReport;
  return command;
}

}  // namespace vmm
