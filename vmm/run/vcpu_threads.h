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

  // The registers of every vCPU while it runs: each is interrupted for some microseconds. None of one that
  // does not come out within `patience`, because a device has it. REQUIRES: as of Stop().
  std::vector<std::optional<CpuState>> Look(absl::Duration patience);

  // Of each vCPU, in vCPU order.
  std::span<const std::unique_ptr<FlightRecorder>> recorders() const { return recorders_; }

 private:
  void RunVcpu(size_t index, const std::function<void()>& begin);
  // Runs until told to stop, or until the guest cannot go on.
  void RunUntilStop(size_t index);
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

  std::vector<absl::StatusOr<CpuState>> states_;  // each written by its own thread, read after the join
};

}  // namespace vmm

#endif  // VMM_RUN_VCPU_THREADS_H_
