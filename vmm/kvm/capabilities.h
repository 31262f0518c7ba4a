// What this program needs of a KVM, by name, and what is lost without each.
#ifndef VMM_KVM_CAPABILITIES_H_
#define VMM_KVM_CAPABILITIES_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace vmm {

// `check` answers KVM_CHECK_EXTENSION: 0 where the capability is missing. Unimplemented, with
// every missing capability and its consequence in the one message, or OK.
absl::Status CheckCapabilities(absl::FunctionRef<int(int capability)> check);

}  // namespace vmm

#endif  // VMM_KVM_CAPABILITIES_H_
