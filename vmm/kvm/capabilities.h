// The KVM capabilities that this program needs, by name, and the consequence of lacking each.
#ifndef VMM_KVM_CAPABILITIES_H_
#define VMM_KVM_CAPABILITIES_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace vmm {

// `check` answers KVM_CHECK_EXTENSION; 0: the capability is missing. Returns OK, or Unimplemented with every missing
// capability and its consequence in one message.
absl::Status CheckCapabilities(absl::FunctionRef<int(int capability)> check);

}  // namespace vmm

#endif  // VMM_KVM_CAPABILITIES_H_
