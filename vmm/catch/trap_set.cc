#include "vmm/catch/trap_set.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/kernel/kallsyms.h"

namespace vmm {
namespace {

constexpr int32_t kNoPanicCpu = -1;  // PANIC_CPU_INVALID, include/linux/panic.h

// The image as it lies in RAM before it has page tables of its own.
KernelMap MapOf(const LoadedKernel& kernel) {
  const VirtualSegment image{kernel.virtual_base, {GuestAddr{kernel.physical_base}, kernel.image_size}};
  return {.phys_base = kernel.physical_base - (kernel.virtual_base - kStartKernelMap), .image = image};
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrapSet>> TrapSet::Plant(std::span<const CatchKind> kinds, const LoadedKernel& kernel,
                                                        GuestMemory& memory, PanicSink& panics) {
  std::unique_ptr<TrapSet> set(new TrapSet(memory, panics));
  RETURN_IF_ERROR(set->Resolve(kinds, kernel));
  for (const CatchPoint& point : set->points_) RETURN_IF_ERROR(memory.Write(point.phys, kPlantedOut));
  return set;
}

absl::Status TrapSet::Resolve(std::span<const CatchKind> kinds, const LoadedKernel& kernel) {
  if (kernel.virtual_base == 0) {
    return absl::NotFoundError("the kernel decompresses itself, so its code is not there yet; --boot=direct");
  }
  const KernelMap map = MapOf(kernel);
  const KernelMemory image(memory_, map);
  ASSIGN_OR_RETURN(const std::unique_ptr<Kallsyms> symbols,
                   Annotate(Kallsyms::Open(image, std::nullopt), "the symbols in the kernel's image"));
  const auto phys_of = [&](uint64_t address) {
    return GuestAddr{kernel.physical_base + (address - kernel.virtual_base)};
  };
  if (const auto panic_cpu = symbols->Find("panic_cpu"); panic_cpu.has_value() && image.IsImage(*panic_cpu)) {
    panic_cpu_ = phys_of(*panic_cpu);
  }
  for (const CatchKind kind : kinds) {
    const size_t before = points_.size();
    for (const std::string_view function : CatchFunctions(kind)) {
      const std::optional<uint64_t> start = symbols->Find(function);
      if (!start.has_value() || !image.IsImage(*start)) continue;
      std::array<uint8_t, 16> code;
      RETURN_IF_ERROR(image.Read(*start, code));
      CatchPoint point{.kind = kind, .function = std::string(function), .address = *start + UntouchableBytes(code)};
      point.phys = phys_of(point.address);
      RETURN_IF_ERROR(image.Read(point.address, point.original));
      points_.push_back(std::move(point));
    }
    if (points_.size() == before) {
      return absl::NotFoundError(absl::StrFormat("the kernel has no function to catch %s at", CatchKindName(kind)));
    }
  }
  return absl::OkStatus();
}

bool TrapSet::Takes(const VcpuExit& exit) const {
  const IoExit* const io = std::get_if<IoExit>(&exit);
  return io != nullptr && io->is_write && io->port == kCatchPort && io->data.size() == 1;
}

// Whether RIP is before or behind the OUT at its exit differs between hosts; behind it once the I/O is completed.
NextStep TrapSet::OnTrap(Vcpu& vcpu) {
  if (!vcpu.CompletePendingIo().ok()) return NextStep::kResume;  // the next Run() says what is wrong
  const absl::StatusOr<CpuState> state = vcpu.ReadState();
  if (!state.ok()) return NextStep::kResume;
  const auto point = std::ranges::find(points_, state->rip - kPlantedOut.size(), &CatchPoint::address);
  if (point == points_.end()) return NextStep::kResume;  // an OUT of the guest's own
  RemoveAt(*point);
  const absl::Status moved = vcpu.SetRip(point->address);
  if (moved.ok() && !HasDied(*point)) return NextStep::kResume;
  panics_.OnPanic({.source = PanicSource::kTrap,
                   .vcpu = vcpu.id(),
                   .detail = absl::StrFormat("%s, caught at %s()", CatchKindName(point->kind), point->function)});
  return NextStep::kStop;
}

// Stopping the other CPUs is a panic only where one is being dealt with: a reboot does it too.
bool TrapSet::HasDied(const CatchPoint& point) const {
  if (point.kind != CatchKind::kPanic || panic_cpu_.value == 0) return true;
  const absl::StatusOr<int32_t> cpu = memory_.ReadObject<int32_t>(panic_cpu_);
  return cpu.ok() && *cpu != kNoPanicCpu;
}

void TrapSet::RemoveAt(const CatchPoint& point) {
  const std::lock_guard lock(mutex_);
  std::array<uint8_t, kPlantedOut.size()> now;
  if (!memory_.Read(point.phys, now).ok() || now != kPlantedOut) return;  // the kernel has other code there by now
  (void)memory_.Write(point.phys, point.original).ok();                   // it was written to before
}

void TrapSet::Remove() {
  for (const CatchPoint& point : points_) RemoveAt(point);
}

}  // namespace vmm
