// Rights that a process gives up for good.
#ifndef SANDBOX_PRIVILEGES_H_
#define SANDBOX_PRIVILEGES_H_

#include "absl/status/status.h"

namespace vmm {

// The calling thread, and threads that it starts, gain no rights by running a set-user-ID program
// (PR_SET_NO_NEW_PRIVS). Seccomp and Landlock ask for this.
absl::Status GiveUpNewPrivileges();

// Drops the capabilities of the calling thread, but for CAP_DAC_OVERRIDE: without that, root could not write a dump
// into another user's directory. An ordinary user has none to drop.
absl::Status DropCapabilities();

}  // namespace vmm

#endif  // SANDBOX_PRIVILEGES_H_
