// The registers of a hanging guest from before the NMI by which it is asked why it hangs. The NMI may destroy them: a
// guest without an IDT shuts down at once, and some KVMs then reset the vCPU.
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
  std::string nmi_error;            // why no NMI was sent; empty where one was
  std::vector<std::string> places;  // for each vCPU of the note the function at its RIP; empty where it is not known
};

// One line a started vCPU on stderr: where it stands, and what it takes.
void TellWhereVcpusStand(const HangRegistersNote& note);

// `panic` is the first thing that the guest reported after the NMI, `states` are the registers at its end. Where that
// is a vCPU that could not go on, the NMI has destroyed it: notes that, and puts its registers from before the NMI into
// `states`. A kernel that answered by a panic keeps the registers of that panic; `console_panicked` says that the
// console showed one, after which a kernel may end itself by a triple fault to reset the machine.
void PutBackDestroyedRegisters(const std::optional<PanicEvent>& panic, bool console_panicked, HangRegistersNote& note,
                               std::vector<absl::StatusOr<CpuState>>& states);

// Fills in `places` from the kernel's own symbols, or `symbols`, which may be null. Never fails: of a guest that is no
// Linux they stay empty. REQUIRES: no vCPU runs.
void NamePlaces(const VmSnapshot& snapshot, const FoundKernel& kernel, const SymbolList* symbols,
                HangRegisters& registers);

}  // namespace vmm

#endif  // VMM_OUTCOME_HANG_REGISTERS_H_
