// The lines by which Linux says that something is wrong, in the words of its sources.
#ifndef VMM_WITNESS_SIGN_TABLE_H_
#define VMM_WITNESS_SIGN_TABLE_H_

#include <span>
#include <string_view>

#include "vmm/witness/kernel_signs.h"

namespace vmm {

struct SignLine {
  KernelSign sign;
  std::string_view format;  // for StartsLike()

  // True if only a line with printk's mark counts, because programs print such words too.
  bool needs_mark = false;
};

// Ordered by how much a line says: if two match, the first counts.
std::span<const SignLine> SignLines();

// The subsystem prefixes that may come before such a line: "rcu: ", "watchdog: ".
std::span<const std::string_view> SubsystemPrefixes();

// The names of x86 traps and other reasons for an oops, as in "NAME: 0000 [#1] SMP".
std::span<const std::string_view> TrapNames();

// The complaints of lockdep and its kin. The line begins with "WARNING: "; before Linux 4.11, with "[ INFO: " or "[
// BUG: ".
std::span<const std::string_view> LockComplaints();

// The lines of the exception handlers that a kernel uses until it has its trap table. They end in a loop of HLT.
std::span<const std::string_view> EarlyExceptionLines();

}  // namespace vmm

#endif  // VMM_WITNESS_SIGN_TABLE_H_
