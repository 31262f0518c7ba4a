// KVM_GET_NESTED_STATE: what KVM keeps of the guest hypervisor that a vCPU may be running.
#ifndef VMM_KVM_NESTED_STATE_IOCTL_H_
#define VMM_KVM_NESTED_STATE_IOCTL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace vmm {

// More than any kernel gives out (8320 bytes in 2025).
inline constexpr size_t kNestedStateLimit = 1 << 20;

// The state, exactly as many bytes as its header says (dump/nested/abi/nested_state_abi.h).
// `max_size` is KVM_CAP_NESTED_STATE; where the state has outgrown it, KVM says so and is asked
// again. Asking a second time may give another state, though the guest has not run.
// REQUIRES: the vCPU is out of KVM_RUN and its I/O is completed.
absl::StatusOr<std::vector<uint8_t>> ReadNestedState(int vcpu_fd, size_t max_size);

// The same on anything that answers as the ioctl does: it gets a buffer whose header says the
// buffer's size, and returns 0 or an errno.
absl::StatusOr<std::vector<uint8_t>> AskForNestedState(size_t max_size, absl::FunctionRef<int(uint8_t*)> ask);

}  // namespace vmm

#endif  // VMM_KVM_NESTED_STATE_IOCTL_H_
