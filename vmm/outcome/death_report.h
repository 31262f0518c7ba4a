// Reads from a dead guest's own memory how it ended: the message, the stack and the end of its log, whether or not its
// console showed them.
#ifndef VMM_OUTCOME_DEATH_REPORT_H_
#define VMM_OUTCOME_DEATH_REPORT_H_

#include <string>
#include <vector>

#include "dump/kernel/symbol_list.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

// All texts are printable; each may be missing.
struct DeathReport {
  std::string message;             // "sysrq triggered crash"; without a panic, the first line of the trouble
  std::string signature;           // CrashSignature() of dump/kernel/panic_message.h
  std::vector<std::string> stack;  // stack of the CPU that died, innermost first: "panic+0x146/0x31f"
  std::vector<std::string> log;    // its last lines as dmesg prints them, at most kLogLines
  std::vector<std::string> missing;
};

// Reads the kernel's own tables; never fails. `dead_vcpu`: the vCPU that hangs or stopped for good, -1: unknown. It
// matters only if the kernel does not record which CPU panicked. `symbols`, if they belong to this kernel, replace the
// kernel's own; may be null. REQUIRES: no vCPU runs.
DeathReport ReportDeath(const VmSnapshot& snapshot, int dead_vcpu, const SymbolList* symbols = nullptr);

// Prints the last few log lines on stderr, for a guest whose console did not show how it ended.
void TellLog(const DeathReport& report);

}  // namespace vmm

#endif  // VMM_OUTCOME_DEATH_REPORT_H_
