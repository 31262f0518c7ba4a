// A vCPU's state as the "QEMU" note of a core: what NT_PRSTATUS has no room for. crash reads
// CR3, CR4 and the IDT's base from it, and takes its presence to mean that note i is CPU i.
#ifndef DUMP_ELF_QEMU_NOTE_H_
#define DUMP_ELF_QEMU_NOTE_H_

#include "dump/abi/elf_core_abi.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// For a vCPU that was never started everything but version and size is zero; crash passes
// over a CPU whose CR3 is 0. CR3 is kept as it is, also where it points to PTI's user half.
QemuCpuState MakeQemuCpuState(const CpuState& state);

// The way back. The note has no EFER: of a CPU that pages with PAE on it is taken to be LME and LMA,
// which in a kernel of 64 bits is so. Without CR0 the vCPU was not started.
CpuState CpuOf(const QemuCpuState& note);

}  // namespace vmm

#endif  // DUMP_ELF_QEMU_NOTE_H_
