// What a guest's memory says about its end, read in a child process.
#ifndef VMM_OUTCOME_EXPLANATION_H_
#define VMM_OUTCOME_EXPLANATION_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/flight/hang_registers_note.h"
#include "dump/kernel/find_kernel.h"
#include "dump/kernel/symbol_list.h"
#include "dump/snapshot/vm_snapshot.h"
#include "vmm/outcome/death_report.h"

namespace vmm {

struct Explanation {
  DeathReport death;
  std::vector<std::string> places;  // HangRegisters::places
};

// The form in which the child answers, as JSON. Lists and strings have limits, and all strings are printable.
std::string SerialiseExplanation(const Explanation& explanation);

// Trusts nothing: the guest may have taken the child over. InvalidArgument if `text` is not of the form above.
absl::StatusOr<Explanation> ParseExplanation(std::string_view text);

// Reads the kernel's own tables, in a child that has 5 s of CPU time, 512 MiB of memory and no way to write to RAM. If
// it does not answer, death.missing says why. `before_nmi`: whose places are wanted; may be null. `stop_fd` as for
// AskChild(). Other arguments as for ReportDeath(). Never fails. REQUIRES: no vCPU runs.
Explanation ExplainByMemory(const VmSnapshot& snapshot, const FoundKernel& kernel, int dead_vcpu,
                            const SymbolList* symbols, const HangRegistersNote* before_nmi, int stop_fd);

}  // namespace vmm

#endif  // VMM_OUTCOME_EXPLANATION_H_
