#include "vmm/run/vcpu_threads.h"

#include <sys/prctl.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

VcpuThreads::VcpuThreads(std::span<Vcpu* const> vcpus, Buses buses, RunEvents& events, TrapHandler* traps)
    : vcpus_(vcpus.begin(), vcpus.end()),
      buses_(buses),
      events_(events),
      traps_(traps),
      look_wanted_(vcpus.size()),
      looks_(vcpus.size()),
      pause_kicked_(vcpus.size()),
      parked_(vcpus.size()),
      pause_states_(vcpus.size(), absl::UnknownError("the vCPU was not paused")),
      states_(vcpus.size(), absl::UnknownError("the vCPU has not stopped")) {
  for (const Vcpu* vcpu : vcpus_) recorders_.push_back(std::make_unique<FlightRecorder>(vcpu->id()));
}

VcpuThreads::~VcpuThreads() {
  if (!threads_.empty()) Stop();
}

void VcpuThreads::Start(const std::function<void()>& begin) {
  for (size_t i = 0; i < vcpus_.size(); ++i) threads_.emplace_back([this, i, begin] { RunVcpu(i, begin); });
}

void VcpuThreads::RunVcpu(size_t index, const std::function<void()>& begin) {
  Vcpu& vcpu = *vcpus_[index];
  prctl(PR_SET_NAME, absl::StrFormat("vcpu-%d", vcpu.id()).c_str());
  events_.ThisThreadRunsVcpu(vcpu.id());
  FlightRecorder& recorder = *recorders_[index];
  recorder.ThreadBegins();
  begin();
  RunUntilStop(index);
  recorder.ThreadEnds();
  states_[index] = ReadStopped(index);
  if (states_[index].ok()) recorder.GuestTscIs(states_[index]->tsc);
  // A pause need not wait for this vCPU.
  const std::lock_guard lock(pause_mutex_);
  parked_[index] = true;
  pause_states_[index] = states_[index];
  pause_changed_.notify_all();
}

// Only after the pending I/O is completed are the registers those after the instruction.
absl::StatusOr<CpuState> VcpuThreads::ReadStopped(size_t index) {
  RETURN_IF_ERROR(vcpus_[index]->CompletePendingIo());
  return vcpus_[index]->ReadState();
}

void VcpuThreads::RunUntilStop(size_t index) {
  Vcpu& vcpu = *vcpus_[index];
  FlightRecorder& recorder = *recorders_[index];
  while (!stop_.load(std::memory_order_acquire) && !events_.vcpus_must_stop()) {
    const absl::StatusOr<VcpuExit> exit = vcpu.Run();
    if (!exit.ok()) {
      events_.OnPanic({.source = PanicSource::kUnhandledExit,
                       .vcpu = vcpu.id(),
                       .detail = "KVM_RUN failed: " + std::string(exit.status().message())});
      return;
    }
    recorder.Exit(*exit);
    const bool trapped = traps_ != nullptr && traps_->Takes(*exit);
    const NextStep next = trapped ? OnTrap(vcpu, *exit) : DispatchExit(*exit, vcpu.id(), buses_, events_);
    recorder.Handled(*exit);
    if (next == NextStep::kStop) return;
    if (traps_ != nullptr && !trapped) traps_->AfterExit(vcpu);
    if (!std::holds_alternative<InterruptedExit>(*exit)) continue;
    AnswerLook(index);
    ParkWhilePaused(index);
  }
}

NextStep VcpuThreads::OnTrap(Vcpu& vcpu, const VcpuExit& exit) {
  const auto* const breakpoint = std::get_if<BreakpointExit>(&exit);
  return breakpoint != nullptr ? traps_->OnBreakpoint(vcpu, *breakpoint) : traps_->OnTrap(vcpu);
}

// BeginPause() kicks under the lock, so its kick is not still on its way when this takes it back. Stop() sets stop_
// before it kicks, and stop_ is looked at after this: its kick is not lost.
void VcpuThreads::ParkWhilePaused(size_t index) {
  {
    const std::lock_guard lock(pause_mutex_);
    if (pause_kicked_[index]) vcpus_[index]->Unkick();
    pause_kicked_[index] = false;
    if (!Parks(index)) return;
  }
  absl::StatusOr<CpuState> state = ReadStopped(index);
  std::unique_lock lock(pause_mutex_);
  if (!Parks(index)) return;
  parked_[index] = true;
  pause_states_[index] = std::move(state);
  pause_changed_.notify_all();
  pause_changed_.wait(lock, [this, index] { return !Parks(index); });
  parked_[index] = false;
  vcpus_[index]->WasPaused();
}

std::vector<absl::StatusOr<CpuState>> VcpuThreads::Pause(absl::Duration patience) {
  BeginPause();
  std::unique_lock lock(pause_mutex_);
  pause_changed_.wait_for(lock, absl::ToChronoMilliseconds(patience),
                          [this] { return std::ranges::find(parked_, false) == parked_.end(); });
  std::vector<absl::StatusOr<CpuState>> states;
  for (size_t i = 0; i < vcpus_.size(); ++i) {
    if (parked_[i]) {
      states.push_back(pause_states_[i]);
    } else {
      states.push_back(absl::UnavailableError(absl::StrFormat("vCPU %d did not stop within %s: a device has it",
                                                              vcpus_[i]->id(), absl::FormatDuration(patience))));
    }
  }
  return states;
}

void VcpuThreads::BeginPause() {
  const std::lock_guard lock(pause_mutex_);
  pause_ = true;
  alone_.reset();
  pause_kicked_.assign(pause_kicked_.size(), true);
  for (Vcpu* vcpu : vcpus_) vcpu->Kick();
}

void VcpuThreads::RegistersWritten(int vcpu, const CpuState& state) {
  const std::lock_guard lock(pause_mutex_);
  pause_states_[static_cast<size_t>(vcpu)] = state;
}

void VcpuThreads::ResumeOnly(int vcpu) {
  const std::lock_guard lock(pause_mutex_);
  pause_ = false;
  alone_ = static_cast<size_t>(vcpu);
  pause_changed_.notify_all();
}

void VcpuThreads::Resume() {
  const std::lock_guard lock(pause_mutex_);
  pause_ = false;
  alone_.reset();
  pause_changed_.notify_all();
}

// Stop() sets stop_ before it kicks, and stop_ is looked at after the Unkick(): its kick is not lost.
void VcpuThreads::AnswerLook(size_t index) {
  {
    const std::lock_guard lock(look_mutex_);
    if (!look_wanted_[index]) return;
    look_wanted_[index] = false;
  }
  vcpus_[index]->Unkick();
  const absl::StatusOr<CpuState> state = vcpus_[index]->ReadState();
  const std::lock_guard lock(look_mutex_);
  if (state.ok()) looks_[index] = *state;
  look_answered_.notify_all();
}

std::vector<std::optional<CpuState>> VcpuThreads::Look(absl::Duration patience) {
  std::unique_lock lock(look_mutex_);
  std::ranges::fill(looks_, std::nullopt);
  look_wanted_.assign(look_wanted_.size(), true);
  for (Vcpu* vcpu : vcpus_) vcpu->Kick();
  look_answered_.wait_for(lock, absl::ToChronoMilliseconds(patience),
                          [this] { return std::ranges::all_of(looks_, &std::optional<CpuState>::has_value); });
  return looks_;
}

std::vector<absl::StatusOr<CpuState>> VcpuThreads::Stop() {
  stop_.store(true, std::memory_order_release);
  Resume();  // a parked vCPU sees stop_ next
  for (Vcpu* vcpu : vcpus_) vcpu->Kick();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return std::move(states_);
}

}  // namespace vmm
