// Handles the exits of instructions that we planted in the guest's code.
#ifndef VMM_VCPU_TRAP_HANDLER_H_
#define VMM_VCPU_TRAP_HANDLER_H_

#include "vmm/vcpu/dispatch_exit.h"
#include "vmm/vcpu/vcpu.h"
#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

class TrapHandler {
 public:
  virtual ~TrapHandler() = default;

  // True if a planted instruction may have caused `exit`: it then goes to OnTrap() and to no device.
  virtual bool Takes(const VcpuExit& exit) const = 0;

  // Called on the vCPU's own thread, between two Run()s.
  virtual NextStep OnTrap(Vcpu& vcpu) = 0;

  // Called on the vCPU's own thread for a BreakpointExit that was taken.
  virtual NextStep OnBreakpoint(Vcpu& vcpu, const BreakpointExit& exit);

  // Called likewise, after each exit that was not taken and has been handled. Usually there is nothing to do, and that
  // costs nothing.
  virtual void AfterExit(Vcpu& vcpu) = 0;

  // Removes all planted instructions. REQUIRES: no vCPU runs.
  virtual void Remove() = 0;
};

}  // namespace vmm

#endif  // VMM_VCPU_TRAP_HANDLER_H_
