// Opens a tap interface of the host.
#ifndef VMM_BACKEND_OPEN_TAP_H_
#define VMM_BACKEND_OPEN_TAP_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// A descriptor that gives and takes one Ethernet frame at a time, and does not block. `name` is a tap interface that
// exists and that this user may open ("ip tuntap add NAME mode tap user USER"); root gets a new one if it does not
// exist.
absl::StatusOr<UniqueFd> OpenTap(const std::string& name);

}  // namespace vmm

#endif  // VMM_BACKEND_OPEN_TAP_H_
