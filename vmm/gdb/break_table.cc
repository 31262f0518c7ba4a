#include "vmm/gdb/break_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/gdb/virtual_memory.h"

namespace vmm {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSingleStep = 1 << 14;  // DR6.BS, Intel SDM vol. 3, section 17.2.3
constexpr uint64_t kTrapFlag = 1 << 8;     // RFLAGS.TF

bool IsPlantedOut(const VcpuExit& exit) {
  const auto* const io = std::get_if<IoExit>(&exit);
  return io != nullptr && io->port == kCatchPort && io->is_write && io->data.size() == 1;
}

// The exit at which another owner of planted instructions recognizes its own.
VcpuExit PlantedOutExit(std::array<uint8_t, 1>& byte) {
  return IoExit{.port = kCatchPort, .size = 1, .is_write = true, .data = byte};
}

}  // namespace

absl::Status BreakTable::Add(GuestAddr phys) {
  if (phys.value % kPage == kPage - 1) {
    return absl::InvalidArgumentError("a software breakpoint takes two bytes, and this is the last of its page");
  }
  for (const Planted& other : planted_) {
    if (other.phys == phys) return absl::OkStatus();
    if (other.phys.value + 1 == phys.value || phys.value + 1 == other.phys.value) {
      return absl::AlreadyExistsError("a software breakpoint takes two bytes, and another one has one of them");
    }
  }
  Planted planted{.phys = phys};
  RETURN_IF_ERROR(memory_.Read(phys, planted.original));
  planted_.push_back(planted);
  return absl::OkStatus();
}

bool BreakTable::Remove(GuestAddr phys) {
  return std::erase_if(planted_, [phys](const Planted& planted) { return planted.phys == phys; }) > 0;
}

void BreakTable::SetStep(std::optional<int> vcpu, bool block_interrupts) {
  step_ = vcpu;
  block_interrupts_ = block_interrupts;
}

GuestDebug BreakTable::DebugOf(int vcpu) const {
  return {.step = step_ == vcpu, .block_interrupts = step_ == vcpu && block_interrupts_, .breaks = hardware_};
}

void BreakTable::Clear() {
  Hide();
  planted_.clear();
  hardware_.clear();
  step_.reset();
  const std::lock_guard lock(mutex_);
  stops_.clear();
}

// The bytes are read anew: the guest may have changed its code, and another owner's instruction may be there now.
void BreakTable::Plant() {
  for (Planted& planted : planted_) {
    if (planted.there || !memory_.Read(planted.phys, planted.original).ok()) continue;
    planted.there = memory_.Write(planted.phys, kPlantedOut).ok();
  }
  any_planted_ = !planted_.empty();
}

void BreakTable::Hide() {
  for (Planted& planted : planted_) {
    if (!std::exchange(planted.there, false)) continue;
    std::array<uint8_t, kPlantedOut.size()> now;
    if (!memory_.Read(planted.phys, now).ok() || now != kPlantedOut) continue;  // the guest has changed its code
    (void)memory_.Write(planted.phys, planted.original).ok();                   // Plant() wrote to the same place
  }
}

std::optional<DebugStop> BreakTable::TakeStop() {
  const std::lock_guard lock(mutex_);
  if (stops_.empty()) return std::nullopt;
  const DebugStop first = stops_.front();
  stops_.pop_front();
  std::erase_if(stops_, [](const DebugStop& stop) { return stop.reason != DebugStop::Reason::kWatch; });
  return first;
}

bool BreakTable::has_stop() const {
  const std::lock_guard lock(mutex_);
  return !stops_.empty();
}

void BreakTable::Record(const DebugStop& stop) {
  {
    const std::lock_guard lock(mutex_);
    stops_.push_back(stop);
  }
  stopped_();
}

bool BreakTable::Takes(const VcpuExit& exit) const {
  if (std::holds_alternative<BreakpointExit>(exit)) return true;
  return (any_planted_ && IsPlantedOut(exit)) || (inner_ != nullptr && inner_->Takes(exit));
}

NextStep BreakTable::OnTrap(Vcpu& vcpu) {
  if (!vcpu.CompletePendingIo().ok()) return NextStep::kResume;  // the next Run() will report the error
  const absl::StatusOr<CpuState> state = vcpu.ReadState();
  if (!state.ok()) return NextStep::kResume;
  const uint64_t address = state->rip - kPlantedOut.size();
  const absl::StatusOr<PlaceInMemory> place =
      VirtualMemory(memory_, *state, /*physical=*/false).Translate(state->cs.l ? address : state->cs.base + address);
  const bool ours = place.ok() && std::ranges::any_of(planted_, [&place](const Planted& planted) {
                      return planted.there && planted.phys == place->phys;
                    });
  if (ours && vcpu.SetRip(address).ok()) {
    Record({.reason = DebugStop::Reason::kSoftware, .vcpu = vcpu.id(), .address = address});
    return NextStep::kResume;
  }
  std::array<uint8_t, 1> byte{};
  if (inner_ != nullptr && inner_->Takes(PlantedOutExit(byte))) return inner_->OnTrap(vcpu);
  return NextStep::kResume;  // an OUT of the guest's own
}

// A trap that we did not ask for is the guest's: a program that is traced there, or its own debugger.
NextStep BreakTable::OnBreakpoint(Vcpu& vcpu, const BreakpointExit& exit) {
  if (step_ == vcpu.id() && (exit.dr6 & kSingleStep) != 0) {
    Record({.reason = DebugStop::Reason::kStep, .vcpu = vcpu.id(), .address = exit.pc});
    return NextStep::kResume;
  }
  for (size_t i = 0; i < hardware_.size(); ++i) {
    if ((exit.dr6 >> i & 1) == 0) continue;
    const HardwareBreak& hit = hardware_[i];
    const bool code = hit.kind == HardwareBreak::Kind::kExecute;
    Record({.reason = code ? DebugStop::Reason::kHardware : DebugStop::Reason::kWatch,
            .vcpu = vcpu.id(),
            .address = hit.address,
            .kind = hit.kind});
    return NextStep::kResume;
  }
  if (hardware_.empty() && !step_.has_value()) return NextStep::kResume;  // left over from before a detach
  // KVM may report a step only after another stop has ended it. The guest does not step if its own TF is clear.
  const absl::StatusOr<CpuState> state = vcpu.ReadState();
  const bool guest_steps = state.ok() && (state->rflags & kTrapFlag) != 0;
  if ((exit.dr6 & kSingleStep) != 0 && !guest_steps) return NextStep::kResume;
  GuestDebug debug = DebugOf(vcpu.id());
  debug.inject_debug = true;
  (void)vcpu.SetDebug(debug).ok();  // KVM refuses if another exception waits: the guest then loses its trap
  return NextStep::kResume;
}

void BreakTable::AfterExit(Vcpu& vcpu) {
  if (inner_ != nullptr) inner_->AfterExit(vcpu);
}

void BreakTable::Remove() {
  Clear();
  if (inner_ != nullptr) inner_->Remove();
}

}  // namespace vmm
