// Takes the exits of instructions that we planted in the guest's code.
#ifndef VMM_VCPU_TRAP_HANDLER_H_
#define VMM_VCPU_TRAP_HANDLER_H_

#include "vmm/vcpu/dispatch_exit.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {

class TrapHandler {
 public:
  virtual ~TrapHandler() = default;

  // True where `exit` may be of a planted instruction: OnTrap() then has it, and no device.
  virtual bool Takes(const VcpuExit& exit) const = 0;

  // On the vCPU's own thread, between two Run()s.
  virtual NextStep OnTrap(Vcpu& vcpu) = 0;

  // The same, after each exit that is not taken and was dealt with. Mostly there is nothing to do, and that costs
  // nothing.
  virtual void AfterExit(Vcpu& vcpu) = 0;

  // Takes all planted instructions out. REQUIRES: no vCPU runs.
  virtual void Remove() = 0;
};

}  // namespace vmm

#endif  // VMM_VCPU_TRAP_HANDLER_H_
