#include "vmm/catch/kernel_catch.h"

#include <span>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "dump/kernel/kallsyms.h"
#include "vmm/catch/fit_symbols.h"

namespace vmm {
namespace {

// The image's place in RAM, for the time before it has page tables of its own.
KernelMap MapOf(const LoadedKernel& kernel) {
  const VirtualSegment image{kernel.virtual_base, {GuestAddr{kernel.physical_base}, kernel.image_size}};
  return {.phys_base = kernel.physical_base - (kernel.virtual_base - kStartKernelMap), .image = image};
}

absl::StatusOr<std::unique_ptr<KernelSymbols>> SymbolsOf(const CatchConfig& config, const KernelMemory& image) {
  if (config.symbols != nullptr) return FitSymbols(*config.symbols, image);
  return Annotate(Kallsyms::Open(image, std::nullopt), "the symbols in the kernel's image");
}

bool IsKernelAddress(uint64_t address) { return address >= kStartKernelMap && address < kKernelImageEnd; }

}  // namespace

KernelCatch::KernelCatch(CatchConfig config, const LoadedKernel& kernel, GuestMemory& memory, PanicSink& panics)
    : config_(std::move(config)), memory_(memory), panics_(panics) {
  if (kernel.is_multiboot) {
    // A PV kernel under Xen would be no better: Xen carries out its OUT, with Xen's registers.
    GiveUp("the kernel is a multiboot kernel: there is no Linux to plant in");
  } else if (kernel.virtual_base != 0) {
    Plant(MapOf(kernel));
  } else {
    why_none_ = "the kernel decompresses itself, and was not yet seen to run";
    waits_ = true;
  }
}

bool KernelCatch::Takes(const VcpuExit& exit) const {
  const IoExit* const io = std::get_if<IoExit>(&exit);
  return io != nullptr && io->port == kCatchPort && io->is_write && io->data.size() == 1 &&
         published_.load() != nullptr;
}

NextStep KernelCatch::OnTrap(Vcpu& vcpu) { return traps_->OnTrap(vcpu); }

// The next look comes after a sixteenth of the exits so far. So a guest that is not Linux is looked at ever less often,
// in the end a few hundred times.
void KernelCatch::AfterExit(Vcpu& vcpu) {
  if (!waits_.load(std::memory_order_relaxed) || vcpu.id() != 0 || ++exits_ < next_look_) return;
  next_look_ = exits_ + 1 + exits_ / 16;
  if (!vcpu.CompletePendingIo().ok()) return;  // the next Run() will report the error
  const absl::StatusOr<CpuState> cpu = vcpu.ReadState();
  if (!cpu.ok() || !IsKernelAddress(cpu->rip)) return;
  const absl::StatusOr<KernelMap> map = MapKernelByCr3(memory_, std::span(&*cpu, 1));
  if (!map.ok()) return;
  waits_ = false;
  Plant(*map);
}

void KernelCatch::Plant(const KernelMap& map) {
  const KernelMemory image(memory_, map);
  const auto symbols = SymbolsOf(config_, image);
  if (!symbols.ok()) return GiveUp(std::string(symbols.status().message()));
  auto traps = TrapSet::Find(config_.kinds, image, **symbols, memory_, panics_);
  if (!traps.ok()) return GiveUp(std::string(traps.status().message()));
  traps_ = *std::move(traps);
  published_ = traps_.get();  // before another vCPU can meet a planted instruction
  if (const absl::Status status = traps_->Plant(); !status.ok()) return GiveUp(std::string(status.message()));
  why_none_.clear();
  for (const CatchPoint& point : traps_->points()) {
    LogDebug(absl::StrFormat("%s is caught at %s(), %#x", CatchKindName(point.kind), point.function, point.address));
  }
}

void KernelCatch::GiveUp(std::string why) {
  why_none_ = std::move(why);
  const std::string text = absl::StrFormat("--catch: %s; pvpanic and the console remain", why_none_);
  if (config_.automatic && config_.symbols == nullptr) {
    LogDebug(text);
  } else {
    LogWarning(text);
  }
}

void KernelCatch::Remove() {
  if (traps_ != nullptr) traps_->Remove();
}

void KernelCatch::Hide() {
  if (traps_ != nullptr) traps_->Hide();
}

void KernelCatch::PutBack() {
  if (traps_ != nullptr) traps_->PutBack();
}

CatchReport KernelCatch::report() const {
  if (!why_none_.empty()) return {.why_none = why_none_};
  return {.points = traps_->points()};
}

}  // namespace vmm
