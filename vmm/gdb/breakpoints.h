// The breakpoints and watchpoints that gdb asks for, each put where the guest and this host can have it.
#ifndef VMM_GDB_BREAKPOINTS_H_
#define VMM_GDB_BREAKPOINTS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "vmm/gdb/debug_guest.h"
#include "vmm/gdb/hardware_slots.h"

namespace vmm {

// Used on the run's thread, while the guest stands still.
class Breakpoints {
 public:
  // `guest` must outlive it.
  explicit Breakpoints(DebugGuest& guest) : guest_(guest) {}

  // A planted instruction at a virtual address as `cpu` sees it, or one of the processor's breakpoints where a planted
  // instruction would kill a program.
  absl::Status InsertSoftware(const CpuState& cpu, uint64_t address);
  void RemoveSoftware(uint64_t address);  // none there: nothing

  // One of the processor's. Unimplemented if this host's KVM does not deliver it.
  absl::Status InsertHardware(HardwareBreak::Kind kind, uint64_t address, uint64_t size);
  void RemoveHardware(HardwareBreak::Kind kind, uint64_t address, uint64_t size);

  // True if gdb asked for a software breakpoint at `address` and one of the processor's stands for it.
  bool StandsForSoftware(uint64_t address) const;

 private:
  struct Planted {
    uint64_t address = 0;
    GuestAddr phys;
  };

  DebugGuest& guest_;
  HardwareSlots slots_;
  std::vector<Planted> planted_;
  std::vector<uint64_t> instead_;  // addresses where one of the processor's stands for a software one
};

}  // namespace vmm

#endif  // VMM_GDB_BREAKPOINTS_H_
