#include "vmm/run/live_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/kernel/find_kernel.h"
#include "dump/write/write_vmcore.h"

namespace vmm {
namespace {

// For a vCPU or a device that is in the middle of something, at most waiting for the console's reader.
constexpr absl::Duration kPatience = absl::Seconds(2);

// RAM of which only some parts are shown. Everything else is the same.
class PartOfMemory final : public PhysicalMemory {
 public:
  PartOfMemory(const PhysicalMemory& all, GuestRange part) : all_(all) {
    for (const GuestRange& range : all.Ranges()) {
      if (const GuestRange both = Common(range, part); both.size > 0) ranges_.push_back(both);
    }
  }

  bool empty() const { return ranges_.empty(); }

  std::vector<GuestRange> Ranges() const override { return ranges_; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override {
    ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, all_.DataExtents());
    std::vector<GuestRange> shown;
    for (const GuestRange& range : ranges_) {
      for (const GuestRange& extent : extents) {
        if (const GuestRange both = Common(extent, range); both.size > 0) shown.push_back(both);
      }
    }
    return shown;
  }
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override { return all_.Read(addr, out); }
  std::span<const uint8_t> Lend(GuestRange range) const override { return all_.Lend(range); }

 private:
  static GuestRange Common(const GuestRange& a, const GuestRange& b) {
    const uint64_t start = std::max(a.start.value, b.start.value);
    const uint64_t end = std::min(a.end().value, b.end().value);
    return {GuestAddr{start}, end > start ? end - start : 0};
  }

  const PhysicalMemory& all_;
  std::vector<GuestRange> ranges_;
};

absl::StatusOr<GuestRange> WholePages(GuestRange part) {
  constexpr uint64_t kPage = 4096;
  const uint64_t start = part.start.value & ~(kPage - 1);
  if (part.size == 0 || part.start.value > ~uint64_t{0} - part.size - kPage) {
    return absl::InvalidArgumentError(absl::StrFormat("begin %#x, length %#x: no memory", part.start.value, part.size));
  }
  const uint64_t end = (part.start.value + part.size + kPage - 1) & ~(kPage - 1);
  return GuestRange{GuestAddr{start}, end - start};
}

// An existing file is emptied, as QEMU does: virtme-ng makes it first.
absl::StatusOr<UniqueFd> OpenTarget(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600));
  if (fd.valid()) return fd;
  const absl::Status error = ErrnoStatus(errno, path);
  if (errno != EACCES) return error;
  return absl::PermissionDeniedError(absl::StrFormat(
      "%s: the sandbox lets vmm write below --dump-dir alone; pass a descriptor (getfd) instead", path));
}

}  // namespace

void LiveRun::Died(std::vector<absl::StatusOr<CpuState>> states) {
  state_ = GuestState::kPanicked;
  states_ = std::move(states);
}

absl::Status LiveRun::Stop() {
  states_ = wiring_.threads.Pause(kPatience);
  for (const absl::StatusOr<CpuState>& state : states_) {
    if (state.ok()) continue;
    wiring_.threads.Resume();
    return Annotate(state.status(), "pause");
  }
  const std::vector<std::string> busy = wiring_.machine.virtio().Pause(kPatience, /*leftovers=*/false);
  if (busy.empty()) {
    if (wiring_.breaks != nullptr) wiring_.breaks->Hide();  // first, because it was planted last
    if (wiring_.traps != nullptr) wiring_.traps->Hide();
    return absl::OkStatus();
  }
  wiring_.machine.virtio().Resume();
  wiring_.threads.Resume();
  return absl::UnavailableError(
      absl::StrFormat("pause: %s did not come to rest within %s", busy.front(), absl::FormatDuration(kPatience)));
}

void LiveRun::GoOn(std::optional<int> only) {
  if (wiring_.traps != nullptr) wiring_.traps->PutBack();
  if (wiring_.breaks != nullptr) wiring_.breaks->Plant();
  states_.clear();
  wiring_.machine.virtio().Resume();
  if (only.has_value()) {
    wiring_.threads.ResumeOnly(*only);
  } else {
    wiring_.threads.Resume();
  }
}

void LiveRun::RegistersWritten(int vcpu, const CpuState& state) {
  states_[static_cast<size_t>(vcpu)] = state;
  wiring_.threads.RegistersWritten(vcpu, state);
}

absl::Status LiveRun::WhileStopped(const std::function<absl::Status(const States& states)>& work) {
  if (state_ == GuestState::kPanicked) return absl::FailedPreconditionError("the guest has died");
  if (state_ == GuestState::kPaused) return work(states_);
  RETURN_IF_ERROR(Stop());
  const absl::Status worked = work(states_);
  GoOn();
  wiring_.loop.SetPaused(false);  // the hang watch begins anew
  return worked;
}

absl::Status LiveRun::Pause() {
  if (state_ != GuestState::kRunning) return absl::OkStatus();
  RETURN_IF_ERROR(Stop());
  state_ = GuestState::kPaused;
  wiring_.loop.SetPaused(true);
  wiring_.tell("STOP");
  return absl::OkStatus();
}

absl::Status LiveRun::Resume() { return ResumeVcpus(std::nullopt); }

absl::Status LiveRun::ResumeVcpus(std::optional<int> only) {
  if (state_ == GuestState::kRunning) return absl::OkStatus();
  if (state_ == GuestState::kPanicked) return absl::FailedPreconditionError("the guest has died; it cannot run on");
  state_ = GuestState::kRunning;
  wiring_.loop.SetPaused(false);
  wiring_.tell("RESUME");
  GoOn(only);
  return absl::OkStatus();
}

int LiveRun::vcpus() const { return static_cast<int>(wiring_.threads.recorders().size()); }

pid_t LiveRun::ThreadId(int vcpu) const { return wiring_.threads.recorders()[static_cast<size_t>(vcpu)]->tid(); }

std::vector<absl::StatusOr<CpuState>> LiveRun::Registers() {
  if (state_ != GuestState::kRunning) return states_;
  std::vector<absl::StatusOr<CpuState>> states;
  for (std::optional<CpuState>& seen : wiring_.threads.Look(kPatience)) {
    if (seen.has_value()) {
      states.push_back(*std::move(seen));
    } else {
      states.push_back(
          absl::UnavailableError(absl::StrFormat("vCPU %d does not answer: a device has it", states.size())));
    }
  }
  return states;
}

absl::Status LiveRun::InjectNmi() {
  if (state_ == GuestState::kPanicked) return absl::FailedPreconditionError("the guest has died");
  return wiring_.machine.InjectNmi(0);
}

absl::Status LiveRun::Dump(DumpOrder order) {
  VmcoreOptions options = wiring_.config.dump;
  options.format = DumpFormat::kElf;
  options.name.clear();
  if (order.part.has_value()) {
    ASSIGN_OR_RETURN(order.part, WholePages(*order.part));
  }
  std::string where = "a descriptor of the client";
  if (!order.fd.valid()) {
    where = order.path;
    ASSIGN_OR_RETURN(order.fd, OpenTarget(order.path));
  }
  RETURN_IF_ERROR(wiring_.before_dump());
  const bool ran = state_ == GuestState::kRunning;
  if (ran) {
    RETURN_IF_ERROR(Stop());
    wiring_.tell("STOP");
  }
  const absl::Status dumped = [&]() -> absl::Status {
    VmSnapshot snapshot = wiring_.snapshot(states_);
    const FoundKernel kernel = FindKernel(snapshot);
    options.kernel = &kernel;
    std::optional<PartOfMemory> part;
    if (order.part.has_value()) {
      part.emplace(*snapshot.memory, *order.part);
      if (part->empty()) return absl::OutOfRangeError("dump: no guest memory to dump");
      snapshot.memory = &*part;
    }
    return StreamVmcore(snapshot, order.fd.get(), where, options).status();
  }();
  if (ran) {
    wiring_.tell("RESUME");
    GoOn();
  }
  return dumped;
}

}  // namespace vmm
