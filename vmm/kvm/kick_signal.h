// The signal that brings a vCPU thread out of KVM_RUN.
#ifndef VMM_KVM_KICK_SIGNAL_H_
#define VMM_KVM_KICK_SIGNAL_H_

#include <sys/types.h>

#include "absl/status/status.h"

namespace vmm {

// Installs the handler of SIGRTMIN, which does nothing. From the first KvmVm on, SIGRTMIN belongs to vmm/kvm/ in the
// whole process, and only threads that run a vCPU receive it. Any thread may call this, any number of times.
// FailedPrecondition if the program already has its own handler for it.
absl::Status InstallKickSignal();

// Removes the signal from the calling thread's mask.
void UnblockKickSignal();

// Makes KVM_RUN in that thread of this process return EINTR. If the thread is elsewhere, at most a system call is
// interrupted. If the thread has ended, nothing happens.
void SendKickSignal(pid_t thread);

}  // namespace vmm

#endif  // VMM_KVM_KICK_SIGNAL_H_
