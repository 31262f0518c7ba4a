// KVM_GET_NESTED_STATE: KVM's state of the guest hypervisor that a vCPU may be running.
#ifndef VMM_KVM_NESTED_STATE_IOCTL_H_
#define VMM_KVM_NESTED_STATE_IOCTL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace vmm {

// More bytes than any kernel returns (8320 in 2025).
inline constexpr size_t kNestedStateLimit = 1 << 20;

// Returns the state, exactly as many bytes as its header says (dump/nested/abi/nested_state_abi.h). `max_size` is
// KVM_CAP_NESTED_STATE. If the state has outgrown it, KVM says so and is asked again. A second call may return another
// state, although the guest has not run.
// REQUIRES: the vCPU is out of KVM_RUN and its I/O is completed.
absl::StatusOr<std::vector<uint8_t>> ReadNestedState(int vcpu_fd, size_t max_size);

// The same with `ask` in place of the ioctl. `ask` gets a buffer whose header holds the buffer's size, and returns 0 or
// an errno.
absl::StatusOr<std::vector<uint8_t>> AskForNestedState(size_t max_size, absl::FunctionRef<int(uint8_t*)> ask);

}  // namespace vmm

#endif  // VMM_KVM_NESTED_STATE_IOCTL_H_
