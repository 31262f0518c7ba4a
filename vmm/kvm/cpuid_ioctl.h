// Reads CPUID tables from KVM and sets them.
#ifndef VMM_KVM_CPUID_IOCTL_H_
#define VMM_KVM_CPUID_IOCTL_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vmm/kvm/cpuid.h"

namespace vmm {

// KVM_GET_SUPPORTED_CPUID of /dev/kvm.
absl::StatusOr<CpuidTable> GetSupportedCpuid(int kvm_fd);

// KVM_SET_CPUID2. The vCPU must not have run.
absl::Status SetCpuid(int vcpu_fd, const CpuidTable& table);

}  // namespace vmm

#endif  // VMM_KVM_CPUID_IOCTL_H_
