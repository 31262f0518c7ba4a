// /dev/kvm and the capabilities of this host's KVM.
#ifndef VMM_KVM_KVM_H_
#define VMM_KVM_KVM_H_

#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "vmm/kvm/cpuid.h"

namespace vmm {

// Any thread may call any method. A KvmVm needs it only while it is created.
class Kvm {
 public:
  // Opens the device, checks API version and capabilities, reads the CPUID that KVM supports. Errors say what the user
  // can do about them, if anything.
  static absl::StatusOr<Kvm> Open(const char* path = "/dev/kvm");

  int fd() const { return fd_.get(); }

  // KVM_GET_SUPPORTED_CPUID, plus the bits that KVM reports only as capabilities.
  const CpuidTable& supported_cpuid() const { return supported_cpuid_; }
  bool HasLa57() const;

  int max_vcpus() const { return max_vcpus_; }           // KVM_CAP_MAX_VCPUS
  bool has_sync_regs() const { return has_sync_regs_; }  // KVM_CAP_SYNC_REGS, for the general registers
  size_t run_size() const { return run_size_; }          // bytes of a vCPU's run mapping

  // The most bytes of a vCPU's nested state (KVM_CAP_NESTED_STATE). 0: guests cannot be hypervisors.
  size_t nested_state_size() const { return nested_state_size_; }

 private:
  explicit Kvm(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  CpuidTable supported_cpuid_;
  int max_vcpus_ = 0;
  size_t run_size_ = 0;
  size_t nested_state_size_ = 0;
  bool has_sync_regs_ = false;
};

}  // namespace vmm

#endif  // VMM_KVM_KVM_H_
