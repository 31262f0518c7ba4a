// The vCPUs' registers out of a dump's notes.
#ifndef DUMP_READ_CPUS_OF_NOTES_H_
#define DUMP_READ_CPUS_OF_NOTES_H_

#include <span>
#include <vector>

#include "dump/read/vmcore_note.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

// PRSTATUS note i and QEMU note i together are CPU i. Where there is a QEMU note it gives all
// registers; without one segments have selectors only and control registers are 0. A CPU whose
// registers are all zero was not started; so is one whose note is too short to hold any. A VMM-NESTED note that can be
// read is its CPU's `nested`.
std::vector<CpuState> CpusOfNotes(std::span<const VmcoreNote> notes);

}  // namespace vmm

#endif  // DUMP_READ_CPUS_OF_NOTES_H_
