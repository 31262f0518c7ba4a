#include "sandbox/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/status.h"

namespace vmm {

absl::Status GiveUpNewPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "PR_SET_NO_NEW_PRIVS");
}

absl::Status DropCapabilities() {
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, sets) != 0) return ErrnoStatus(errno, "capget");
  for (__user_cap_data_struct& set : sets) {
    const uint32_t kept = &set == sets ? 1u << CAP_DAC_OVERRIDE | 1u << CAP_KILL : 0;
    set.effective &= kept;
    set.permitted &= kept;
    set.inheritable = 0;
  }
  if (syscall(SYS_capset, &header, sets) != 0) return ErrnoStatus(errno, "capset");
  return absl::OkStatus();
}

}  // namespace vmm
