// Reads the vCPUs' registers from a dump's notes.
#ifndef DUMP_READ_CPUS_OF_NOTES_H_
#define DUMP_READ_CPUS_OF_NOTES_H_

#include <span>
#include <vector>

#include "dump/read/vmcore_note.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// PRSTATUS note i and QEMU note i together describe CPU i. A QEMU note gives all registers. Without one, segments have
// only their selectors, and control registers are 0. A CPU was not started if all its registers are zero, or if its
// note is too short to hold any. A readable VMM-NESTED note becomes its CPU's `nested`.
std::vector<CpuState> CpusOfNotes(std::span<const VmcoreNote> notes);

}  // namespace vmm

#endif  // DUMP_READ_CPUS_OF_NOTES_H_
