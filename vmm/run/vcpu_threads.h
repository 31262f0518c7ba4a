// The threads of a machine's vCPUs: one each, from the first instruction to the registers
// that are left at the end.
#ifndef VMM_RUN_VCPU_THREADS_H_
#define VMM_RUN_VCPU_THREADS_H_

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/recorder/flight_recorder.h"
#include "vmm/vcpu/dispatch_exit.h"
#include "vmm/vcpu/run_events.h"
#include "vmm/vcpu/trap_handler.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {

// Owned and called by one thread, that of the run loop.
class VcpuThreads {
 public:
  // All arguments must outlive this object; `traps` may be null.
  VcpuThreads(std::span<Vcpu* const> vcpus, Buses buses, RunEvents& events, TrapHandler* traps = nullptr);
  ~VcpuThreads();  // stops what still runs

  VcpuThreads(const VcpuThreads&) = delete;
  VcpuThreads& operator=(const VcpuThreads&) = delete;

  // `begin` runs on each vCPU's thread before its guest does.
  void Start(const std::function<void()>& begin = [] {});

  // Stops every vCPU, lets each complete its pending I/O, and returns its registers in vCPU
  // order. They stay stopped. REQUIRES: Start() was called, and Stop() was not.
  std::vector<absl::StatusOr<CpuState>> Stop();

  // Stops every vCPU for a while: each completes its pending I/O, so that registers, RAM and
  // devices agree, and waits for Resume(). Returns its registers in vCPU order, Unavailable for one
  // that does not come out within `patience`, because a device has it; that one stops as soon as it
  // can. After Pause() comes Resume() or Stop(). REQUIRES: as of Stop().
  std::vector<absl::StatusOr<CpuState>> Pause(absl::Duration patience);
  void Resume();

  // Ends a pause for one vCPU alone. The others stay as they are until Resume().
  void ResumeOnly(int vcpu);

  // A debugger wrote these registers to a vCPU that a pause has stopped: the next Pause() has them, even if the vCPU
  // did not run in between.
  void RegistersWritten(int vcpu, const CpuState& state);

  // Begins a pause without waiting for it; Pause() then does. Any thread may call it, also that of a vCPU, which parks
  // before it runs its guest again. Before Start(): the vCPUs park before their guest's first instruction.
  void BeginPause();

  // The registers of every vCPU while it runs: each is interrupted for some microseconds. None of one that
  // does not come out within `patience`, because a device has it. REQUIRES: as of Stop().
  std::vector<std::optional<CpuState>> Look(absl::Duration patience);

  // Of each vCPU, in vCPU order.
  std::span<const std::unique_ptr<FlightRecorder>> recorders() const { return recorders_; }

 private:
  void RunVcpu(size_t index, const std::function<void()>& begin);
  // Runs until told to stop, or until the guest cannot go on.
  void RunUntilStop(size_t index);
  NextStep OnTrap(Vcpu& vcpu, const VcpuExit& exit);
  // On the vCPU's thread: completes its I/O and reads its registers.
  absl::StatusOr<CpuState> ReadStopped(size_t index);
  bool Parks(size_t index) const { return pause_ || (alone_.has_value() && *alone_ != index); }
  // On the vCPU's thread: waits while a pause lasts.
  void ParkWhilePaused(size_t index);
  // On the vCPU's thread, when it has been interrupted: gives its registers to Look() where that wants them.
  void AnswerLook(size_t index);

  std::vector<Vcpu*> vcpus_;
  Buses buses_;
  RunEvents& events_;
  TrapHandler* traps_;
  std::vector<std::unique_ptr<FlightRecorder>> recorders_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;

  std::mutex look_mutex_;  // guards look_wanted_ and looks_
  std::condition_variable look_answered_;
  std::vector<bool> look_wanted_;
  std::vector<std::optional<CpuState>> looks_;

  std::mutex pause_mutex_;  // guards the following
  std::condition_variable pause_changed_;
  bool pause_ = false;
  std::optional<size_t> alone_;     // the one vCPU that a ResumeOnly() lets run
  std::vector<bool> pause_kicked_;  // the vCPU has not yet taken back the kick of a pause
  std::vector<bool> parked_;        // stopped for a pause, or ended
  std::vector<absl::StatusOr<CpuState>> pause_states_;

  std::vector<absl::StatusOr<CpuState>> states_;  // each written by its own thread, read after the join
};

}  // namespace vmm

#endif  // VMM_RUN_VCPU_THREADS_H_
