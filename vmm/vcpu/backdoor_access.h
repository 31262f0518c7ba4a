// An exit at VMware's backdoor, which is answered in registers.
#ifndef VMM_VCPU_BACKDOOR_ACCESS_H_
#define VMM_VCPU_BACKDOOR_ACCESS_H_

#include "devices/vmport/backdoor.h"
#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

// Lets `backdoor` answer `exit`. Of RBX, RCX, RDX, RSI and RDI the low halves change. An IN's
// result goes into the data and into RAX: of four bytes it clears RAX's high half, of one or two
// it leaves the rest of RAX. An OUT leaves RAX.
// REQUIRES: exit.registers is not null, and the port is one of the backdoor's four.
void AccessBackdoor(const IoExit& exit, Backdoor& backdoor);

}  // namespace vmm

#endif  // VMM_VCPU_BACKDOOR_ACCESS_H_
