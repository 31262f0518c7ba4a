// ioctl(2) as KVM uses it, with a Status for errno.
#ifndef VMM_KVM_KVM_IOCTL_H_
#define VMM_KVM_KVM_IOCTL_H_

#include <sys/ioctl.h>

#include <cerrno>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/status.h"

namespace vmm {

// `argument` is a pointer or an integer, as the request takes it. Returns what the kernel
// returned; `name` is the request's own, for the error: "KVM_CREATE_VM: Too many open files".
// KVM gives EINTR where a signal came first (the only long one is KVM_RUN, which is not
// called by this): then it did nothing, and it is called again.
template <typename T>
absl::StatusOr<int> KvmIoctl(int fd, unsigned long request, T argument, std::string_view name) {
  int result;
  do {
    result = ::ioctl(fd, request, argument);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return ErrnoStatus(errno, name);
  return result;
}

}  // namespace vmm

#endif  // VMM_KVM_KVM_IOCTL_H_
