// A debugger's breakpoints in the guest, and the vCPUs' exits at them.
//
// A software breakpoint is the planted OUT of vmm/catch, because int3 does not work on every KVM
// (docs/decisions/0012). It is in the guest's code only while a vCPU runs.
#ifndef VMM_GDB_BREAK_TABLE_H_
#define VMM_GDB_BREAK_TABLE_H_

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "base/guest_memory.h"
#include "vmm/catch/catch_point.h"
#include "vmm/gdb/debug_stop.h"
#include "vmm/vcpu/trap_handler.h"

namespace vmm {

// Made before the guest runs. vCPU threads call the TrapHandler's methods; all others are called while no vCPU runs,
// except TakeStop() and has_stop().
class BreakTable final : public TrapHandler {
 public:
  // `memory` must outlive it, and so must `inner`, which gets what is not ours; it may be null.
  BreakTable(GuestMemory& memory, TrapHandler* inner) : memory_(memory), inner_(inner) {}

  // `stopped` is called on a vCPU's thread when a stop was recorded. It must make all vCPUs stop soon, the calling one
  // before it runs its guest again. Call this before the guest starts.
  void SetOnStop(std::function<void()> stopped) { stopped_ = std::move(stopped); }

  // A breakpoint at a physical address. Adding one twice is adding it once. InvalidArgument if its two bytes lie in two
  // pages; AlreadyExists if they overlap another breakpoint's; OutOfRange outside RAM.
  absl::Status Add(GuestAddr phys);
  // False if there is none.
  bool Remove(GuestAddr phys);

  // The processor's breakpoints that are in force, and the vCPU that makes a single step.
  void SetHardware(std::vector<HardwareBreak> breaks) { hardware_ = std::move(breaks); }
  void SetStep(std::optional<int> vcpu, bool block_interrupts);
  // The wishes of `vcpu` that follow from both.
  GuestDebug DebugOf(int vcpu) const;

  // Forgets all breakpoints, steps and stops.
  void Clear();

  // Plant() writes the instructions, Hide() gives the guest its own bytes back. Each does nothing the second time.
  void Plant();
  void Hide();

  // The stop that came first. Others are forgotten, because their vCPUs will come to the same place again; but a
  // watchpoint's stays.
  std::optional<DebugStop> TakeStop();
  bool has_stop() const;

  // TrapHandler
  bool Takes(const VcpuExit& exit) const override;
  NextStep OnTrap(Vcpu& vcpu) override;
  NextStep OnBreakpoint(Vcpu& vcpu, const BreakpointExit& exit) override;
  void AfterExit(Vcpu& vcpu) override;
  void Remove() override;

 private:
  struct Planted {
    GuestAddr phys;
    std::array<uint8_t, kPlantedOut.size()> original = {};
    bool there = false;
  };

  void Record(const DebugStop& stop);

  GuestMemory& memory_;
  TrapHandler* inner_;
  std::function<void()> stopped_ = [] {};

  std::vector<Planted> planted_;  // written while no vCPU runs
  std::vector<HardwareBreak> hardware_;
  std::optional<int> step_;
  bool block_interrupts_ = false;
  std::atomic<bool> any_planted_ = false;

  mutable std::mutex mutex_;  // guards stops_
  std::deque<DebugStop> stops_;
};

}  // namespace vmm

#endif  // VMM_GDB_BREAK_TABLE_H_
