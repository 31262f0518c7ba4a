// A vCPU's registers as the NT_PRSTATUS note of a core.
#ifndef DUMP_ELF_PRSTATUS_H_
#define DUMP_ELF_PRSTATUS_H_

#include "dump/abi/elf_core_abi.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// Makes the note of Linux CPU number `cpu`. pr_pid is cpu + 1, as in QEMU's dumps: drgn looks up a running task by it.
// The registers of a vCPU that was never started are zeros.
ElfPrstatus MakePrstatus(const CpuState& state, int cpu);

// The reverse: takes the registers that the note holds and leaves the rest at its default. If all registers are zeros,
// the vCPU was not started.
CpuState CpuOf(const ElfPrstatus& note);

}  // namespace vmm

#endif  // DUMP_ELF_PRSTATUS_H_
