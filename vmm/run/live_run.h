// A run as its monitor sees it.
#ifndef VMM_RUN_LIVE_RUN_H_
#define VMM_RUN_LIVE_RUN_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dump/snapshot/vm_snapshot.h"
#include "vmm/catch/kernel_catch.h"
#include "vmm/config/vm_config.h"
#include "vmm/gdb/break_table.h"
#include "vmm/live/live_guest.h"
#include "vmm/machine/machine.h"
#include "vmm/run/event_loop.h"
#include "vmm/run/vcpu_threads.h"

namespace vmm {

// Used on the run's thread, which waits in its event loop and serves the monitor from there.
class LiveRun final : public LiveGuest {
 public:
  struct Wiring {
    const VmConfig& config;
    Machine& machine;
    VcpuThreads& threads;
    EventLoop& loop;
    KernelCatch* traps;  // may be null
    BreakTable* breaks;  // a debugger's; may be null
    // Makes a snapshot of a guest that stands still, with these registers.
    std::function<VmSnapshot(const std::vector<absl::StatusOr<CpuState>>& states)> snapshot;
    std::function<void(std::string_view event)> tell;  // "STOP", "RESUME"
    std::function<absl::Status()> before_dump;         // puts all of RAM in its memfd
  };
  // Everything must outlive it.
  explicit LiveRun(Wiring wiring) : wiring_(std::move(wiring)) {}

  // The guest has died, and these are its last registers. It does not run again.
  void Died(std::vector<absl::StatusOr<CpuState>> states);

  // Resume(), but `only` that vCPU goes on, if one is given.
  absl::Status ResumeVcpus(std::optional<int> only);

  // A debugger wrote these registers to a vCPU. REQUIRES: the guest is paused.
  void RegistersWritten(int vcpu, const CpuState& state);
  // Calls `work` with the registers while the guest stands still, and lets it go on if it ran. The monitor is not told.
  // An error if a vCPU or a device did not come to rest; the guest then runs on.
  using States = std::vector<absl::StatusOr<CpuState>>;
  absl::Status WhileStopped(const std::function<absl::Status(const States& states)>& work);

  // LiveGuest
  GuestState state() const override { return state_; }
  absl::Status Pause() override;
  absl::Status Resume() override;
  int vcpus() const override;
  pid_t ThreadId(int vcpu) const override;
  std::vector<absl::StatusOr<CpuState>> Registers() override;
  const GuestMemory& memory() const override { return wiring_.machine.memory(); }
  absl::Status InjectNmi() override;
  absl::Status Dump(DumpOrder order) override;
  void Quit() override { wiring_.loop.Quit(); }

 private:
  absl::Status Stop();  // Pause() without telling
  void GoOn(std::optional<int> only = std::nullopt);

  const Wiring wiring_;
  GuestState state_ = GuestState::kRunning;
  std::vector<absl::StatusOr<CpuState>> states_;  // while the guest stands still
};

}  // namespace vmm

#endif  // VMM_RUN_LIVE_RUN_H_
