// The registers of a hanging guest before the NMI that asks it why it hangs. The NMI may destroy them: a guest without
// an IDT shuts down at once, and some KVMs then reset the vCPU.
#ifndef VMM_OUTCOME_HANG_REGISTERS_H_
#define VMM_OUTCOME_HANG_REGISTERS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/panic_event.h"
#include "dump/flight/hang_registers_note.h"
#include "dump/kernel/find_kernel.h"
#include "dump/kernel/symbol_list.h"
#include "dump/snapshot/cpu_state.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

struct HangRegisters {
  HangRegistersNote note;           // goes into the dump
  std::string nmi_error;            // why no NMI was sent; empty if one was sent
  std::vector<std::string> places;  // the function at RIP, for each vCPU of the note; empty: unknown
};

// Prints one line per started vCPU on stderr: where it stands, and whether it takes interrupts.
void TellWhereVcpusStand(const HangRegistersNote& note);

// `panic`: the first thing that the guest reported after the NMI. `states`: the registers at its end. If a vCPU could
// not go on, the NMI destroyed its registers: this function notes that, and copies the ones from before the NMI into
// `states`. If the kernel answered with a panic, the registers of that panic stay. `console_panicked`: the console
// showed a panic, after which a kernel may cause a triple fault itself to reset the machine.
void PutBackDestroyedRegisters(const std::optional<PanicEvent>& panic, bool console_panicked, HangRegistersNote& note,
                               std::vector<absl::StatusOr<CpuState>>& states);

// Fills in `places` from the kernel's own symbols, or `symbols`, which may be null. Never fails: of a guest that is no
// Linux they stay empty. REQUIRES: no vCPU runs.
void NamePlaces(const VmSnapshot& snapshot, const FoundKernel& kernel, const SymbolList* symbols,
                HangRegisters& registers);

}  // namespace vmm

#endif  // VMM_OUTCOME_HANG_REGISTERS_H_
