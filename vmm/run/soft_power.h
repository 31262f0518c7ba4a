// --soft-power: SIGTERM asks the guest to power itself off, by its VMware tools, before it ends
// the run.
#ifndef VMM_RUN_SOFT_POWER_H_
#define VMM_RUN_SOFT_POWER_H_

#include "absl/time/time.h"
#include "devices/vmport/backdoor.h"
#include "vmm/run/event_loop.h"

namespace vmm {

// Called when loop.Wait() was ended by SIGTERM. Sends OS_Halt where tools answer in the guest, and
// goes on waiting, up to `patience`, for the run to end: how it ended is returned. Where no tools
// answer, or they refuse, or the guest does not go in time, the log says so and SIGTERM ends the
// run after all (kSignal); so does a second signal. `deadline` and `grace` are Wait()'s.
RunEnd SoftPowerOff(Backdoor& backdoor, EventLoop& loop, absl::Duration patience, absl::Time deadline,
                    absl::Duration grace);

}  // namespace vmm

#endif  // VMM_RUN_SOFT_POWER_H_
