#include "vmm/catch/trap_set.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr int32_t kNoPanicCpu = -1;  // PANIC_CPU_INVALID, include/linux/panic.h

GuestAddr PhysicalOf(const KernelMemory& image, uint64_t address) {
  const VirtualSegment& segment = image.map().image;
  return GuestAddr{segment.range.start.value + (address - segment.vaddr)};
}

std::optional<GuestAddr> FindVariable(std::string_view name, const KernelMemory& image, const KernelSymbols& symbols) {
  const std::optional<uint64_t> address = symbols.Find(name);
  if (!address.has_value() || !image.IsImage(*address)) return std::nullopt;
  return PhysicalOf(image, *address);
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrapSet>> TrapSet::Find(std::span<const CatchKind> kinds, const KernelMemory& image,
                                                       const KernelSymbols& symbols, GuestMemory& memory,
                                                       PanicSink& panics) {
  std::unique_ptr<TrapSet> set(new TrapSet(memory, panics));
  set->panic_cpu_ = FindVariable("panic_cpu", image, symbols);
  set->kexec_crash_image_ = FindVariable("kexec_crash_image", image, symbols);
  for (const CatchKind kind : kinds) {
    bool found = false;
    for (const std::string_view function : CatchFunctions(kind)) {
      found = (set->Resolve(kind, function, image, symbols) && EveryEndEnters(function)) || found;
    }
    if (!found && !set->Resolve(kind, LastCatchFunction(kind), image, symbols)) {
      return absl::NotFoundError(absl::StrFormat("the kernel has no function to catch %s at", CatchKindName(kind)));
    }
  }
  return set;
}

absl::Status TrapSet::Plant() {
  const auto write_all = [this]() -> absl::Status {
    // Locked for the whole loop. If another vCPU meets a hand-over meanwhile, its Remove() then also takes back the
    // instructions that are written later.
    const std::lock_guard lock(mutex_);
    for (const CatchPoint& point : points_) RETURN_IF_ERROR(memory_.Write(point.phys, kPlantedOut));
    return absl::OkStatus();
  };
  const absl::Status status = write_all();
  if (!status.ok()) Remove();
  return status;
}

bool TrapSet::Resolve(CatchKind kind, std::string_view function, const KernelMemory& image,
                      const KernelSymbols& symbols) {
  if (function.empty()) return false;
  const std::optional<uint64_t> start = symbols.Find(function);
  if (!start.has_value() || !image.IsImage(*start)) return false;
  std::array<uint8_t, 16> code;
  if (!image.Read(*start, code).ok()) return false;
  CatchPoint point{.kind = kind, .function = std::string(function), .address = *start + UntouchableBytes(code)};
  if (!image.IsImage(point.address) || !image.Read(point.address, point.original).ok()) return false;
  point.phys = PhysicalOf(image, point.address);
  points_.push_back(std::move(point));
  return true;
}

// At the exit, RIP may be before or after the OUT, depending on the host. It is after the OUT once the I/O is
// completed.
NextStep TrapSet::OnTrap(Vcpu& vcpu) {
  if (!vcpu.CompletePendingIo().ok()) return NextStep::kResume;  // the next Run() will report the error
  const absl::StatusOr<CpuState> state = vcpu.ReadState();
  if (!state.ok()) return NextStep::kResume;
  const auto point = std::ranges::find(points_, state->rip - kPlantedOut.size(), &CatchPoint::address);
  if (point == points_.end()) return NextStep::kResume;  // an OUT of the guest's own
  RemoveAt(*point);
  const absl::Status moved = vcpu.SetRip(point->address);
  const Meaning meaning = moved.ok() ? MeaningOf(*point, *state) : Meaning::kDied;
  if (meaning == Meaning::kNothing) return NextStep::kResume;
  if (meaning == Meaning::kHandsOver) Remove();  // the crash kernel's dump must not show our instructions either
  panics_.OnPanic({.source = PanicSource::kTrap,
                   .vcpu = vcpu.id(),
                   .crash_loaded = meaning == Meaning::kHandsOver,
                   .detail = absl::StrFormat("%s, caught at %s()", CatchKindName(point->kind), point->function)});
  return meaning == Meaning::kHandsOver ? NextStep::kResume : NextStep::kStop;
}

TrapSet::Meaning TrapSet::MeaningOf(const CatchPoint& point, const CpuState& cpu) const {
  if (point.function == kStopOtherCpus) {
    if (!panic_cpu_.has_value()) {
      const uint32_t wait = static_cast<uint32_t>(cpu.rdi);  // stop_other_cpus(int wait)
      return wait == 0 ? Meaning::kDied : Meaning::kNothing;
    }
    const absl::StatusOr<int32_t> panicking = memory_.ReadObject<int32_t>(*panic_cpu_);
    return panicking.ok() && *panicking != kNoPanicCpu ? Meaning::kDied : Meaning::kNothing;
  }
  if (point.function == kCrashShutdown) return Meaning::kHandsOver;  // entered only if a crash kernel is loaded
  if (point.function == kCrashStopOtherCpus) {
    // If it is unknown whether there is a crash kernel, do not stop the guest: there may be one, and it must do its
    // work.
    if (!kexec_crash_image_.has_value()) return Meaning::kNothing;
    const absl::StatusOr<uint64_t> loaded = memory_.ReadObject<uint64_t>(*kexec_crash_image_);
    return loaded.ok() && *loaded != 0 ? Meaning::kHandsOver : Meaning::kDied;
  }
  return Meaning::kDied;
}

bool TrapSet::RemoveAt(const CatchPoint& point) {
  const std::lock_guard lock(mutex_);
  std::array<uint8_t, kPlantedOut.size()> now;
  if (!memory_.Read(point.phys, now).ok() || now != kPlantedOut)
    return false;                                        // the kernel has changed this code meanwhile
  (void)memory_.Write(point.phys, point.original).ok();  // cannot fail: Plant() wrote to the same place
  return true;
}

void TrapSet::Remove() {
  for (const CatchPoint& point : points_) RemoveAt(point);
}

void TrapSet::Hide() {
  hidden_.clear();
  for (const CatchPoint& point : points_) {
    if (RemoveAt(point)) hidden_.push_back(&point);
  }
}

void TrapSet::PutBack() {
  for (const CatchPoint* point : hidden_) (void)memory_.Write(point->phys, kPlantedOut).ok();  // as in RemoveAt()
  hidden_.clear();
}

}  // namespace vmm
