#include "vmm/run/live_dumper.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "dump/kernel/find_kernel.h"
#include "vmm/outcome/live_dump_json.h"
#include "vmm/run/hypervisor_guest.h"

namespace vmm {
namespace {

// Between attempts to make RAM one again, while the guest's own guest runs or a device is busy.
constexpr absl::Duration kFirstRetry = absl::Milliseconds(10), kLastRetry = absl::Seconds(1);
constexpr absl::Duration kSettlePatience = absl::Seconds(5);
constexpr int kMaxNames = 10000;

std::string_view Wished(std::string_view why) {
  if (why == "signal") return "SIGUSR1";
  if (why == "key") return "Ctrl-A d";
  if (why == "timer") return "--dump-every";
  return why;
}

std::string Ms(absl::Duration time) { return absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(time)); }

}  // namespace

// `record` and `snapshot` belong to the writing thread from its start until it sets `written`.
struct LiveDumper::Job {
  LiveDump record;
  VmSnapshot snapshot;
  std::unique_ptr<FrozenMemory> frozen;
  absl::Time wished;
  absl::Duration retry = kFirstRetry;
  std::atomic<bool> written = false;
  std::thread writer;
};

absl::StatusOr<std::unique_ptr<LiveDumper>> LiveDumper::Create(Wiring wiring) {
  std::unique_ptr<LiveDumper> dumper(new LiveDumper(std::move(wiring)));
  dumper->news_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!dumper->news_.valid()) return ErrnoStatus(errno, "timerfd");
  const VirtioSet& virtio = dumper->wiring_.machine.virtio();
  if (!dumper->wiring_.config.flip) {
    dumper->no_flip_ = "--live-dump=stop";
  } else if (const std::string_view external = virtio.NameOfExternal(); !external.empty()) {
    dumper->no_flip_ = absl::StrFormat("%s: its back end, another process, maps the guest's RAM", external);
  } else {
    absl::StatusOr<std::unique_ptr<MemoryFlip>> flip = MemoryFlip::Create(dumper->wiring_.machine.memory());
    if (flip.ok()) {
      dumper->flip_ = *std::move(flip);
      dumper->running_.emplace(dumper->wiring_.machine.memory());
    } else {
      dumper->no_flip_ = std::string(flip.status().message());
    }
  }
  return dumper;
}

LiveDumper::LiveDumper(Wiring wiring) : wiring_(std::move(wiring)) {}

LiveDumper::~LiveDumper() {
  if (job_ == nullptr || !job_->writer.joinable()) return;
  job_->frozen->Cancel();
  job_->writer.join();
}

void LiveDumper::Ring(absl::Duration delay) {
  const itimerspec time = {.it_interval = {}, .it_value = absl::ToTimespec(std::max(delay, absl::Nanoseconds(1)))};
  timerfd_settime(news_.get(), 0, &time, nullptr);
}

std::string LiveDumper::WhyNoFlip() const {
  if (flip_ == nullptr) return no_flip_;
  if (flip_->is_open()) return "the guest's RAM is not one again since an earlier dump";
  return "";
}

absl::Status LiveDumper::CheckDirs() const {
  if (wiring_.dirs.first.ok() || wiring_.dirs.fallback.ok()) return absl::OkStatus();
  if (wiring_.config.dump_fd >= 0) {
    return absl::FailedPreconditionError("--dump is for the guest's death; --dump-fallback-dir=DIR takes live dumps");
  }
  if (wiring_.config.on_panic == OnPanic::kExit) {
    return absl::FailedPreconditionError(
        "with --on-panic=exit there is no dump directory, unless --dump-every is given");
  }
  return wiring_.dirs.first.status();
}

void LiveDumper::Dump(std::string_view why) {
  if (busy()) {
    next_ = why;
    return;
  }
  job_ = std::make_unique<Job>();
  job_->wished = absl::Now();
  LiveDump& record = job_->record;
  record.why = why;
  record.why_no_flip = WhyNoFlip();
  record.error = CheckDirs();
  if (record.error.ok()) {
    record.error = wiring_.guest.WhileStopped([this](const LiveRun::States& states) { return BeginStopped(states); });
    record.pause = absl::Now() - job_->wished;
  }
  if (record.error.ok() && record.flip) {
    absl::StatusOr<std::unique_ptr<FrozenMemory>> frozen = FrozenMemory::Create(wiring_.machine.memory());
    record.error = frozen.status();
    if (frozen.ok()) {
      job_->frozen = *std::move(frozen);
      job_->snapshot.memory = job_->frozen.get();
      job_->writer = std::thread([this] {
        prctl(PR_SET_NAME, "live-dump");
        Write();
        job_->written = true;
        Ring(absl::ZeroDuration());
      });
      return;
    }
  }
  if (record.flip) {  // frozen for nothing
    job_->written = true;
    return Ring(absl::ZeroDuration());
  }
  End();
}

absl::Status LiveDumper::BeginStopped(const LiveRun::States& states) {
  LiveDump& record = job_->record;
  record.at = wiring_.age();
  const bool hypervisor = std::ranges::any_of(states, [](const auto& state) { return MayRunNestedGuest(*state); });
  if (record.why_no_flip.empty() && hypervisor) {
    record.why_no_flip = "the guest is a hypervisor: KVM may hold pages of its RAM for the guest's own guest";
  }
  if (record.why_no_flip.empty()) {
    const absl::Status flipped = flip_->Open();
    record.flip = flipped.ok();
    if (!flipped.ok()) record.why_no_flip = std::string(flipped.message());
  }
  job_->snapshot = wiring_.snapshot(states);
  if (!record.flip && running_memory() != nullptr) job_->snapshot.memory = running_memory();
  if (!record.flip) Write();
  return record.flip ? absl::OkStatus() : record.error;
}

void LiveDumper::Write() {
  LiveDump& record = job_->record;
  VmcoreOptions options = wiring_.config.dump;
  options.notes_json = LiveDumpNoteJson(wiring_.config, record);
  const auto write_into = [&](const absl::StatusOr<OutputDir>& dir) -> absl::StatusOr<VmcoreReport> {
    if (!dir.ok()) return dir.status();
    if (wiring_.config.dump.name.empty()) return WriteVmcore(job_->snapshot, *dir, options);
    while (true) {  // the name itself is for the guest's death
      options.name = absl::StrFormat("%s.live.%d", wiring_.config.dump.name, ++named_);
      absl::StatusOr<VmcoreReport> report = WriteVmcore(job_->snapshot, *dir, options);
      if (!absl::IsAlreadyExists(report.status()) || named_ >= kMaxNames) return report;
    }
  };
  try {
    const FoundKernel kernel = FindKernel(job_->snapshot);
    options.kernel = &kernel;
    absl::StatusOr<VmcoreReport> report = write_into(wiring_.dirs.first);
    if (!report.ok() && !absl::IsCancelled(report.status()) && wiring_.dirs.fallback.ok()) {
      report = write_into(wiring_.dirs.fallback);
    }
    if (report.ok()) record.dump = *std::move(report);
    record.error = report.status();
  } catch (const std::bad_alloc&) {
    record.error = absl::ResourceExhaustedError("out of memory");
  }
}

void LiveDumper::Serve() {
  uint64_t rings = 0;
  if (read(news_.get(), &rings, sizeof(rings)) != sizeof(rings)) return;
  if (job_ != nullptr && job_->written) TryMerge();
  if (job_ == nullptr && !next_.empty()) Dump(std::exchange(next_, std::string_view()));
}

void LiveDumper::TryMerge() {
  if (job_->writer.joinable()) job_->writer.join();
  const absl::Time start = absl::Now();
  bool merged = false;
  const absl::Status stopped = wiring_.guest.WhileStopped([&](const LiveRun::States& states) {
    if (std::ranges::any_of(states, [](const auto& state) { return RunsNestedGuest(*state); })) return absl::OkStatus();
    merged = true;
    Merge();
    return absl::OkStatus();
  });
  if (merged && stopped.ok()) {
    job_->record.merge = absl::Now() - start;
    return End();
  }
  Ring(job_->retry);
  job_->retry = std::min(job_->retry * 2, kLastRetry);
}

void LiveDumper::Merge() {
  const absl::StatusOr<uint64_t> bytes = flip_->Close();
  if (bytes.ok()) {
    job_->record.merged_bytes = *bytes;
  } else {
    job_->record.merge_error = std::string(bytes.status().message());
  }
}

const PhysicalMemory* LiveDumper::running_memory() const {
  return flip_ != nullptr && flip_->is_open() ? &*running_ : nullptr;
}

absl::Status LiveDumper::Settle() {
  const absl::Time deadline = absl::Now() + kSettlePatience;
  if (job_ != nullptr && job_->writer.joinable()) job_->writer.join();
  while (job_ != nullptr && absl::Now() < deadline) {
    TryMerge();
    if (job_ != nullptr) absl::SleepFor(kFirstRetry);
  }
  if (running_memory() == nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError("the guest's RAM is not one again since a live dump");
}

void LiveDumper::Finish(bool give_up, int stop_fd) {
  next_ = {};
  if (job_ == nullptr) return;
  if (!give_up && !job_->written) LogInfo("the live dump is not whole yet; SIGTERM gives it up");
  while (!job_->written && !give_up) {
    std::array<pollfd, 2> fds{pollfd{news_.get(), POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
    poll(fds.data(), fds.size(), -1);
    give_up = fds[1].revents != 0;
    uint64_t rings = 0;
    if (fds[0].revents != 0 && read(news_.get(), &rings, sizeof(rings)) < 0) continue;  // `written` says it
  }
  if (give_up && job_->frozen != nullptr) job_->frozen->Cancel();
  if (job_->writer.joinable()) job_->writer.join();
  Merge();
  End();
}

void LiveDumper::End() {
  const std::unique_ptr<Job> job = std::move(job_);
  LiveDump& record = job->record;
  record.took = absl::Now() - job->wished;
  const std::string still =
      record.flip ? absl::StrFormat("stood still for %s and %s", Ms(record.pause), Ms(record.merge))
                  : absl::StrFormat("stood still for %s (no flip: %s)", Ms(record.pause), record.why_no_flip);
  if (record.dump.has_value()) {
    LogInfo(absl::StrFormat("live dump (%s): %s, %d MiB of data, in %s; the guest %s", Wished(record.why),
                            record.dump->path, record.dump->data_bytes >> 20,
                            absl::FormatDuration(absl::Trunc(record.took, absl::Milliseconds(1))), still));
    if (!record.dump->why_not_filtered.empty()) {
      LogWarning(absl::StrFormat("the live dump has all memory, not level %d: %s", wiring_.config.dump.level,
                                 record.dump->why_not_filtered));
    }
  } else {
    LogWarning(absl::StrFormat("no live dump (%s): %s", Wished(record.why), std::string(record.error.message())));
  }
  if (!record.merge_error.empty()) {
    LogWarning(
        absl::StrFormat("the guest runs on, but needs more memory of the host than it has RAM, and the next live "
                        "dumps stop it: %s",
                        record.merge_error));
  }
  wiring_.record.Add(std::move(record));
  if (!next_.empty()) Ring(absl::ZeroDuration());
}

}  // namespace vmm
