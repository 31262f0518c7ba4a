// A vCPU's registers in the form of QEMU's `info registers`.
#ifndef VMM_LIVE_PRINT_REGISTERS_H_
#define VMM_LIVE_PRINT_REGISTERS_H_

#include <string>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// Lines that end in CRLF. If the vCPU runs a hypervisor, the last line names its current VMCS (VMPTR) or VMCB.
std::string PrintRegisters(const CpuState& cpu);

}  // namespace vmm

#endif  // VMM_LIVE_PRINT_REGISTERS_H_
