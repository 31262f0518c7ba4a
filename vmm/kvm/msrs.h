// Reads and writes a vCPU's model-specific registers, one at a time: KVM takes a list, but stops at the first that it
// refuses.
#ifndef VMM_KVM_MSRS_H_
#define VMM_KVM_MSRS_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vmm {

// Intel SDM vol. 4, table 2-2.
struct Msr {
  uint32_t index;
  std::string_view name;
};

inline constexpr Msr kMsrTsc{0x10, "IA32_TIME_STAMP_COUNTER"};
inline constexpr Msr kMsrMiscEnable{0x1a0, "IA32_MISC_ENABLE"};
inline constexpr Msr kMsrMtrrDefType{0x2ff, "IA32_MTRR_DEF_TYPE"};
inline constexpr Msr kMsrKernelGsBase{0xc0000102, "IA32_KERNEL_GS_BASE"};

// The error names the MSR, and for a write the value.
absl::StatusOr<uint64_t> ReadMsr(int vcpu_fd, const Msr& msr);
absl::Status WriteMsr(int vcpu_fd, const Msr& msr, uint64_t value);

}  // namespace vmm

#endif  // VMM_KVM_MSRS_H_
