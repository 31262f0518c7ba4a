// Answers an exit at VMware's backdoor, which passes its arguments in registers.
#ifndef VMM_VCPU_BACKDOOR_ACCESS_H_
#define VMM_VCPU_BACKDOOR_ACCESS_H_

#include "devices/vmport/backdoor.h"
#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

// Lets `backdoor` answer `exit`. Changes only the low halves of RBX, RCX, RDX, RSI and RDI. An IN's result goes into
// the data and into RAX: a 4-byte result clears RAX's high half, a 1- or 2-byte result leaves the rest of RAX. An OUT
// leaves RAX.
// REQUIRES: exit.registers is not null, and the port is one of the backdoor's four.
void AccessBackdoor(const IoExit& exit, Backdoor& backdoor);

}  // namespace vmm

#endif  // VMM_VCPU_BACKDOOR_ACCESS_H_
