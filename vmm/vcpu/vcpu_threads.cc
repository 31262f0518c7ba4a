#include "vmm/vcpu/vcpu_threads.h"

#include <sys/prctl.h>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// Runs until told to stop, or until the guest cannot go on.
void RunUntilStop(Vcpu& vcpu, const Buses& buses, RunEvents& events, FlightRecorder& recorder,
                  const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_acquire) && !events.vcpus_must_stop()) {
    const absl::StatusOr<VcpuExit> exit = vcpu.Run();
    if (!exit.ok()) {
      events.OnPanic({.source = PanicSource::kUnhandledExit,
                      .vcpu = vcpu.id(),
                      .detail = "KVM_RUN failed: " + std::string(exit.status().message())});
      return;
    }
    recorder.Exit(*exit);
    const NextStep next = DispatchExit(*exit, vcpu.id(), buses, events);
    recorder.Handled(*exit);
    if (next == NextStep::kStop) return;
  }
}

}  // namespace

VcpuThreads::VcpuThreads(std::span<Vcpu* const> vcpus, Buses buses, RunEvents& events)
    : vcpus_(vcpus.begin(), vcpus.end()),
      buses_(buses),
      events_(events),
      states_(vcpus.size(), absl::UnknownError("the vCPU has not stopped")) {
  for (const Vcpu* vcpu : vcpus_) recorders_.push_back(std::make_unique<FlightRecorder>(vcpu->id()));
}

VcpuThreads::~VcpuThreads() {
  if (!threads_.empty()) Stop();
}

void VcpuThreads::Start() {
  for (size_t i = 0; i < vcpus_.size(); ++i) threads_.emplace_back([this, i] { RunVcpu(i); });
}

void VcpuThreads::RunVcpu(size_t index) {
  Vcpu& vcpu = *vcpus_[index];
  prctl(PR_SET_NAME, absl::StrFormat("vcpu-%d", vcpu.id()).c_str());
  events_.ThisThreadRunsVcpu(vcpu.id());
  FlightRecorder& recorder = *recorders_[index];
  recorder.ThreadBegins();
  RunUntilStop(vcpu, buses_, events_, recorder, stop_);
  recorder.ThreadEnds();
  // Only after the pending I/O is completed are the registers those behind the instruction.
  const absl::Status completed = vcpu.CompletePendingIo();
  states_[index] = completed.ok() ? vcpu.ReadState() : absl::StatusOr<CpuState>(completed);
  if (states_[index].ok()) recorder.GuestTscIs(states_[index]->tsc);
}

std::vector<absl::StatusOr<CpuState>> VcpuThreads::Stop() {
  stop_.store(true, std::memory_order_release);
  for (Vcpu* vcpu : vcpus_) vcpu->Kick();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return std::move(states_);
}

}  // namespace vmm
