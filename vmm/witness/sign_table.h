// The lines by which Linux says that something is wrong, as its sources print them.
#ifndef VMM_WITNESS_SIGN_TABLE_H_
#define VMM_WITNESS_SIGN_TABLE_H_

#include <span>
#include <string_view>

#include "vmm/witness/kernel_signs.h"

namespace vmm {

struct SignLine {
  KernelSign sign;
  std::string_view format;  // for StartsLike()

  // Only a line with printk's mark counts: programs print such words, too.
  bool needs_mark = false;
};

// The order is by how much a line says: of two that fit, the first counts.
std::span<const SignLine> SignLines();

// The prefixes of subsystems that may stand before such a line: "rcu: ", "watchdog: ".
std::span<const std::string_view> SubsystemPrefixes();

// The names of x86 traps and of other reasons to oops, as "NAME: 0000 [#1] SMP" has them.
std::span<const std::string_view> TrapNames();

// What lockdep and its kin complain of. The line begins "WARNING: ", before Linux 4.11 "[ INFO: " or "[ BUG: ".
std::span<const std::string_view> LockComplaints();

// The lines of exception handlers that serve only until the kernel has its trap table. They end in a loop of HLT.
std::span<const std::string_view> EarlyExceptionLines();

}  // namespace vmm

#endif  // VMM_WITNESS_SIGN_TABLE_H_
