// The event that interrupted the kernel on the CPU that died: a fault, a trap or an interrupt, with the registers at
// that moment.
#ifndef DUMP_CAUSE_FAULT_H_
#define DUMP_CAUSE_FAULT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dump/abi/pt_regs_abi.h"
#include "dump/kernel/kernel_report.h"

namespace vmm {

enum class FaultKind {
  kPageFault,      // CR2 has the address
  kDoubleFault,    // usually a stack overflow; CR2 has the address
  kProtection,     // a non-canonical address, or a bad segment or register
  kInvalidOpcode,  // BUG() and WARN() are an UD2
  kOtherException,
  kInterrupt,  // no fault: an interrupt or NMI found the CPU there
  kStopped,    // nothing interrupted it: the vCPU's own registers
};

// "page fault", "general protection fault", ...
std::string_view FaultKindName(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kStopped;
  int cpu = 0;
  std::string handler;  // the function to which the CPU went; empty for kStopped
  PtRegs registers{};
  uint64_t saved_at = 0;  // where the kernel saved them; 0: they are the vCPU's
  uint64_t gs_base = 0;
  int paging_levels = 4;
  std::optional<uint64_t> cr2;  // for faults that set it. A later fault on the same CPU may have overwritten it.
};

// Takes the innermost interrupted frame of the CPU that panicked. Without one, takes the vCPU's own registers, unless
// the CPU called panic() itself: then no single instruction is at fault, and the result is none. None also if the CPU
// was in user mode or its frames are guesses.
std::optional<Fault> FindFault(const KernelReport& report, const KernelMemory& memory);

// The registers by name, in the order in which people print them.
std::array<std::pair<std::string_view, uint64_t>, 18> NamedRegisters(const PtRegs& registers);

}  // namespace vmm

#endif  // DUMP_CAUSE_FAULT_H_
