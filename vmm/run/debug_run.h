// A run as its debugger sees it.
#ifndef VMM_RUN_DEBUG_RUN_H_
#define VMM_RUN_DEBUG_RUN_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "vmm/catch/kernel_catch.h"
#include "vmm/gdb/break_table.h"
#include "vmm/gdb/debug_guest.h"
#include "vmm/machine/machine.h"
#include "vmm/run/live_run.h"
#include "vmm/run/vcpu_threads.h"

namespace vmm {

// Used on the run's thread.
class DebugRun final : public DebugGuest {
 public:
  struct Wiring {
    LiveRun& live;
    Machine& machine;
    VcpuThreads& threads;
    BreakTable& breaks;
    KernelCatch* traps;  // may be null
    DebugAbilities abilities;
    std::function<int()> died_vcpu;
  };

  // Everything must outlive it. Call this before the guest starts.
  static absl::StatusOr<std::unique_ptr<DebugRun>> Create(Wiring wiring);

  // Readable when a vCPU came to a breakpoint.
  int stop_fd() const { return stop_fd_.get(); }

  // DebugGuest
  LiveGuest& live() override { return wiring_.live; }
  GuestMemory& memory() override { return wiring_.machine.memory(); }
  const DebugAbilities& abilities() const override { return wiring_.abilities; }
  LoadedImage image() const override;
  int died_vcpu() const override { return wiring_.died_vcpu(); }
  absl::StatusOr<GdbCpu> ReadCpu(int vcpu) override;
  absl::Status WriteCpu(int vcpu, const GdbCpu& cpu, bool fpu_too) override;
  absl::Status AddBreak(GuestAddr phys) override;
  bool RemoveBreak(GuestAddr phys) override { return wiring_.breaks.Remove(phys); }
  void SetHardware(std::vector<HardwareBreak> breaks) override { wiring_.breaks.SetHardware(std::move(breaks)); }
  void ForgetBreaks() override { wiring_.breaks.Clear(); }
  absl::Status Go(const Going& going) override;
  std::optional<DebugStop> TakeStop() override;

 private:
  DebugRun(Wiring wiring, UniqueFd stop_fd);

  Vcpu& vcpu(int id) { return *vcpus_[static_cast<size_t>(id)]; }

  const Wiring wiring_;
  const UniqueFd stop_fd_;  // eventfd
  const std::vector<Vcpu*> vcpus_;
  std::vector<GuestDebug> set_;  // in force, by vCPU
};

// What a trial on this host showed, in words for --verbose: "hardware breakpoints, single steps; no watchpoints".
std::string DescribeAbilities(const DebugAbilities& abilities);

}  // namespace vmm

#endif  // VMM_RUN_DEBUG_RUN_H_
