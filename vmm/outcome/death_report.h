// A death as the guest's own memory tells it: the message, the stack and the end of the log, whether or not the
// console showed them.
#ifndef VMM_OUTCOME_DEATH_REPORT_H_
#define VMM_OUTCOME_DEATH_REPORT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/find_kernel.h"
#include "dump/kernel/kernel_view.h"
#include "dump/kernel/symbol_list.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

// All texts are printable; each may be missing.
struct DeathReport {
  std::string message;             // "sysrq triggered crash"; without a panic, the first line of the trouble
  std::string title;               // "KASAN: slab-use-after-free Read in f" (dump/kernel/death_title.h)
  std::string function;            // the function to blame
  std::string signature;           // KernelReport::signature
  std::vector<std::string> stack;  // stack of the CPU that died, innermost first: "panic+0x146/0x31f"
  std::vector<std::string> log;    // its last lines as dmesg prints them, at most kLogLines
  std::vector<std::string> missing;
};

// Opens the kernel's own tables. `symbols` replace the kernel's own if they fit it; may be null. If they do not fit,
// the reason is added to `missing`. REQUIRES: no vCPU runs.
absl::StatusOr<std::unique_ptr<KernelView>> OpenKernelView(const VmSnapshot& snapshot, const FoundKernel& kernel,
                                                           const SymbolList* symbols,
                                                           std::vector<std::string>* missing = nullptr);

// Reads the kernel's own tables. Never fails. `kernel` is FindKernel() of `snapshot`. `dead_vcpu` hangs or stopped for
// good, -1: not known; it counts if the kernel itself does not say which CPU panicked. `symbols` as for
// OpenKernelView(). REQUIRES: no vCPU runs.
DeathReport ReportDeath(const VmSnapshot& snapshot, const FoundKernel& kernel, int dead_vcpu,
                        const SymbolList* symbols = nullptr);

// Prints the last few log lines on stderr, for a guest whose console did not show how it ended.
void TellLog(const DeathReport& report);

}  // namespace vmm

#endif  // VMM_OUTCOME_DEATH_REPORT_H_
