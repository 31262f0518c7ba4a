// The signal that brings a vCPU thread out of KVM_RUN.
#ifndef VMM_KVM_KICK_SIGNAL_H_
#define VMM_KVM_KICK_SIGNAL_H_

#include <sys/types.h>

#include "absl/status/status.h"

namespace vmm {

// SIGRTMIN belongs to vmm/kvm/ in the whole process from the first KvmVm on: its handler does
// nothing, and only threads that run a vCPU are sent it. Any thread may call this, and as often
// as it likes. FailedPrecondition where the program already has a handler of its own for it.
absl::Status InstallKickSignal();

// Takes the signal out of the calling thread's mask.
void UnblockKickSignal();

// Makes a KVM_RUN of that thread of this process return EINTR. A thread that is elsewhere sees
// nothing but a system call cut short; one that has ended, nothing.
void SendKickSignal(pid_t thread);

}  // namespace vmm

#endif  // VMM_KVM_KICK_SIGNAL_H_
