#include "vmm/run/on_panic.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/partial_file.h"
#include "base/status.h"
#include "base/thread_log.h"
#include "dump/nested/nested_notes.h"
#include "dump/write/dump_name.h"
#include "vmm/outcome/result_json.h"

namespace vmm {
namespace {

// One line that is drawn over and over, on a terminal only.
class Progress {
 public:
  void operator()(uint64_t done, uint64_t total) {
    const int percent = total == 0 ? 100 : static_cast<int>(done * 100 / total);
    if (percent == last_) return;
    last_ = percent;
    DrawProgress(absl::StrFormat("\rvmm: dump %3d%%%s", percent, percent == 100 ? "\r\x1b[K" : ""));
  }

 private:
  int last_ = -1;
};

std::string StreamName(int fd) { return fd == STDOUT_FILENO ? "standard output" : absl::StrFormat("fd:%d", fd); }

absl::Status Join(const absl::Status& first, const absl::Status& second) {
  return absl::Status(first.code(),
                      absl::StrFormat("%s; then %s", std::string(first.message()), std::string(second.message())));
}

}  // namespace

DumpDirs OpenDumpDirs(const VmConfig& config) {
  DumpDirs dirs;
  const bool wanted = config.on_panic == OnPanic::kDump || config.dump_every < absl::InfiniteDuration();
  if (config.on_panic == OnPanic::kExit && !wanted) return dirs;
  if (config.dump_fd < 0) {
    dirs.first = OutputDir::Open(config.dump_dir);
    if (!dirs.first.ok() && wanted) {
      LogWarning(absl::StrFormat("dumps are unavailable: a panic would not be saved: %s",
                                 std::string(dirs.first.status().message())));
    }
  }
  if (!config.dump_fallback_dir.empty()) {
    dirs.fallback = OutputDir::Open(config.dump_fallback_dir);
    if (!dirs.fallback.ok()) LogWarning(std::string(dirs.fallback.status().message()));
  }
  for (const absl::StatusOr<OutputDir>* dir : {&dirs.first, &dirs.fallback}) {
    if (dir->ok()) RemoveAbandonedFiles(**dir);
  }
  return dirs;
}

VmSnapshot MakeSnapshot(const std::vector<absl::StatusOr<CpuState>>& states, const GuestMemory& memory,
                        const std::optional<PanicEvent>& panic, std::vector<CoreNote> notes) {
  VmSnapshot snapshot{.memory = &memory, .panic = panic};
  for (size_t id = 0; id < states.size(); ++id) {
    if (states[id].ok()) {
      snapshot.cpus.push_back(*states[id]);
      const std::string& error = states[id]->nested.error;
      if (!error.empty()) {
        LogWarning(absl::StrFormat("vCPU %d: the state of its guests is missing from the dump: %s", id, error));
      }
      continue;
    }
    LogWarning(absl::StrFormat("vCPU %d: its registers are missing from the dump: %s", id,
                               std::string(states[id].status().message())));
    snapshot.cpus.push_back(CpuState{.started = false});
  }
  utsname host;
  const std::string_view release = uname(&host) == 0 ? host.release : "";
  snapshot.more_notes = MakeNestedNotes(snapshot.cpus, Vmcs12LayoutOf(release));
  std::ranges::move(notes, std::back_inserter(snapshot.more_notes));
  return snapshot;
}

void DumpSnapshot(const VmSnapshot& snapshot, const FoundKernel& kernel, const DumpDirs& dirs, const VmConfig& config,
                  int stop_fd, RunOutcome& outcome) {
  const absl::Time start = absl::Now();
  VmcoreOptions options = config.dump;
  options.notes_json = DumpNoteJson(config, outcome);
  options.stop_fd = stop_fd;
  options.kernel = &kernel;
  if (config.dump_once) options.name = absl::StrFormat("%s-%s", kDumpName, SignatureOf(outcome));
  if (LogsToStderr() && isatty(STDERR_FILENO) != 0) options.progress = Progress();

  const auto write_into = [&](const absl::StatusOr<OutputDir>& dir) -> absl::StatusOr<VmcoreReport> {
    if (!dir.ok()) return dir.status();
    absl::StatusOr<VmcoreReport> report = WriteVmcore(snapshot, *dir, options);
    // The name is the test: of many runs that end alike at once, one gets it.
    if (config.dump_once && absl::IsAlreadyExists(report.status())) outcome.earlier_dump = dir->PathOf(options.name);
    return report;
  };

  absl::StatusOr<VmcoreReport> report =
      config.dump_fd >= 0 ? StreamVmcore(snapshot, config.dump_fd, StreamName(config.dump_fd), options)
                          : write_into(dirs.first);
  if (!report.ok() && outcome.earlier_dump.empty() && !config.dump_fallback_dir.empty()) {
    LogWarning(absl::StrFormat("dump failed: %s; trying %s", std::string(report.status().message()),
                               config.dump_fallback_dir));
    const absl::Status first_error = report.status();
    report = write_into(dirs.fallback);
    if (!report.ok()) report = Join(first_error, report.status());
  }
  if (!outcome.earlier_dump.empty()) return;
  if (report.ok() && !report->why_not_filtered.empty()) {
    LogWarning(
        absl::StrFormat("the dump has all memory, not level %d: %s", config.dump.level, report->why_not_filtered));
  }
  if (report.ok()) {
    for (const std::string& path : report->removed) LogInfo(absl::StrFormat("removed the old dump %s", path));
    if (!report->not_removed.ok()) LogWarning(std::string(report->not_removed.message()));
    if (!report->vmcoreinfo_passed_over.empty()) {
      LogWarning(absl::StrFormat("VMCOREINFO passed over: %s", report->vmcoreinfo_passed_over));
    }
    outcome.dump = *std::move(report);
  } else {
    outcome.dump_error = report.status();
  }
  outcome.dump_time = absl::Now() - start;
}

}  // namespace vmm
