// A vCPU's registers as the NT_PRSTATUS note of a core.
#ifndef DUMP_ELF_PRSTATUS_H_
#define DUMP_ELF_PRSTATUS_H_

#include "dump/abi/elf_core_abi.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The note of Linux CPU number `cpu`. pr_pid is cpu + 1, as QEMU has it: drgn looks a running
// task up by that. The registers of a vCPU that was never started are zeros.
ElfPrstatus MakePrstatus(const CpuState& state, int cpu);

// The way back: what the note has of a vCPU, the rest as it is by default. Registers that are all
// zeros are a vCPU that was not started.
CpuState CpuOf(const ElfPrstatus& note);

}  // namespace vmm

#endif  // DUMP_ELF_PRSTATUS_H_
