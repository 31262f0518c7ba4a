// A vCPU's state as the "QEMU" note of a core, which holds registers that NT_PRSTATUS has no room for. crash reads CR3,
// CR4 and the IDT's base from it. If the note is present, crash takes note i to be CPU i.
#ifndef DUMP_ELF_QEMU_NOTE_H_
#define DUMP_ELF_QEMU_NOTE_H_

#include "dump/abi/elf_core_abi.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// For a vCPU that was never started, everything but version and size is zero; crash skips a CPU whose CR3 is 0. CR3 is
// kept as it is, even if it points to PTI's user half.
QemuCpuState MakeQemuCpuState(const CpuState& state);

// The reverse. The note has no EFER: for a CPU with paging and PAE on, LME and LMA are assumed, which is right for a
// 64-bit kernel. If CR0 is 0, the vCPU was not started.
CpuState CpuOf(const QemuCpuState& note);

}  // namespace vmm

#endif  // DUMP_ELF_QEMU_NOTE_H_
