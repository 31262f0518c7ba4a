// A whole run, from a configuration to its outcome. This returns: it never ends the process,
// touches no global state but the signal mask and the terminal, and puts both back. Surroundings
// of a caller's own spare it those, too.
#ifndef VMM_RUN_RUN_VM_H_
#define VMM_RUN_RUN_VM_H_

#include "vmm/config/vm_config.h"
#include "vmm/outcome/run_outcome.h"
#include "vmm/run/surroundings.h"

namespace vmm {

// Boots `config`'s guest on the caller's standard input and output and runs it to its end.
// Everything that can go wrong is in the outcome. SIGINT, SIGTERM, SIGHUP and SIGQUIT stop
// the run while it lasts. One run at a time in a process.
RunOutcome RunVm(const VmConfig& config);

// The same in other surroundings. Any number of such runs may go on at once in a process, each on a thread of its own.
// `config` must ask for neither a sandbox, which confines the calling thread for good, nor OnPanic::kPause.
RunOutcome RunVm(const VmConfig& config, const Surroundings& surroundings);

}  // namespace vmm

#endif  // VMM_RUN_RUN_VM_H_
