// What a dead guest's own memory says of its end: the message, the stack, the end of its log, whether or not its
// console showed them.
#ifndef VMM_OUTCOME_DEATH_REPORT_H_
#define VMM_OUTCOME_DEATH_REPORT_H_

#include <string>
#include <vector>

#include "dump/kernel/symbol_list.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

// Texts are printable; each may be missing.
struct DeathReport {
  std::string message;             // "sysrq triggered crash"; without a panic, the first line of the trouble
  std::string signature;           // CrashSignature() of dump/kernel/panic_message.h
  std::vector<std::string> stack;  // of the CPU that died, innermost first: "panic+0x146/0x31f"
  std::vector<std::string> log;    // its last lines, kLogLines at most, as dmesg prints them
  std::vector<std::string> missing;
};

// Reads the kernel's own tables; never fails. `dead_vcpu`: the one that hangs or stopped for good, -1 where none is
// known; it counts where the kernel does not say itself which CPU panicked. `symbols`, where they are the kernel's, are
// taken in place of those that it has itself; may be null. REQUIRES: no vCPU runs.
DeathReport ReportDeath(const VmSnapshot& snapshot, int dead_vcpu, const SymbolList* symbols = nullptr);

// The log's last few lines on stderr, for a guest whose console did not show how it ended.
void TellLog(const DeathReport& report);

}  // namespace vmm

#endif  // VMM_OUTCOME_DEATH_REPORT_H_
