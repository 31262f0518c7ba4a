// A guest as its debugger sees it.
#ifndef VMM_GDB_DEBUG_GUEST_H_
#define VMM_GDB_DEBUG_GUEST_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "vmm/gdb/debug_stop.h"
#include "vmm/gdb/registers.h"
#include "vmm/gdb/virtual_memory.h"
#include "vmm/live/live_guest.h"
#include "vmm/vcpu/guest_debug.h"

namespace vmm {

// All of it is called on the run's own thread. REQUIRES, for all but the first five and TakeStop(): the guest stands
// still (live().state()).
class DebugGuest {
 public:
  virtual ~DebugGuest() = default;

  virtual LiveGuest& live() = 0;
  virtual GuestMemory& memory() = 0;
  virtual const DebugAbilities& abilities() const = 0;

  // The kernel's image, if we placed it.
  virtual LoadedImage image() const = 0;

  // The vCPU on which the guest died; 0 if it has not, or if that is not known.
  virtual int died_vcpu() const = 0;

  // FailedPrecondition for a write to a guest that has died.
  virtual absl::StatusOr<GdbCpu> ReadCpu(int vcpu) = 0;
  virtual absl::Status WriteCpu(int vcpu, const GdbCpu& cpu, bool fpu_too) = 0;

  // A planted breakpoint at a physical address. See BreakTable.
  virtual absl::Status AddBreak(GuestAddr phys) = 0;
  virtual bool RemoveBreak(GuestAddr phys) = 0;
  // All of the processor's breakpoints, at most kHardwareBreaks.
  virtual void SetHardware(std::vector<HardwareBreak> breaks) = 0;
  virtual void ForgetBreaks() = 0;

  // How the guest goes on: all vCPUs, or one alone; and one of those that go on may stop after one instruction.
  struct Going {
    std::optional<int> only;
    std::optional<int> step;
  };
  virtual absl::Status Go(const Going& going) = 0;

  // If a vCPU came to a breakpoint, or made its step: the guest then stands still, and this is why.
  virtual std::optional<DebugStop> TakeStop() = 0;
};

}  // namespace vmm

#endif  // VMM_GDB_DEBUG_GUEST_H_
