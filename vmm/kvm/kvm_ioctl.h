// Wraps KVM's use of ioctl(2), with a Status for errno.
#ifndef VMM_KVM_KVM_IOCTL_H_
#define VMM_KVM_KVM_IOCTL_H_

#include <sys/ioctl.h>

#include <cerrno>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/status.h"

namespace vmm {

// `argument` is a pointer or an integer, as the request takes it. Returns the kernel's result. `name` is the request's
// name, for the error: "KVM_CREATE_VM: Too many open files". If a signal came first, KVM did nothing and returns EINTR,
// and the request is repeated. KVM_RUN, the only long request, is not called through this.
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
