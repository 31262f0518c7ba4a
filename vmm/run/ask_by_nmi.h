// Asks a hanging guest why it hangs, by a non-maskable interrupt.
#ifndef VMM_RUN_ASK_BY_NMI_H_
#define VMM_RUN_ASK_BY_NMI_H_

#include "absl/time/time.h"
#include "vmm/machine/machine.h"
#include "vmm/outcome/hang_registers.h"
#include "vmm/run/event_loop.h"
#include "vmm/run/vcpu_threads.h"
#include "vmm/witness/console_scanner.h"
#include "vmm/witness/hang_monitor.h"

namespace vmm {

// Reads the registers of every vCPU, because the NMI may destroy them, and sends it to the vCPU that hangs, or to
// vCPU 0. The kernel then prints where it is, or panics if it was set up to (unknown_nmi_panic). Waits for as long as
// the guest prints on `console`, at most 20 s. `panic_grace` is as in EventLoop::Wait().
HangRegisters AskByNmi(const Hang& hang, Machine& machine, VcpuThreads& threads, const ConsoleScanner& console,
                       absl::Duration panic_grace, EventLoop& loop);

}  // namespace vmm

#endif  // VMM_RUN_ASK_BY_NMI_H_
