#include "vmm/kvm/kvm.h"

#include <fcntl.h>
#include <linux/kvm.h>

#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/kvm/capabilities.h"
#include "vmm/kvm/cpuid_ioctl.h"
#include "vmm/kvm/kvm_ioctl.h"

namespace vmm {
namespace {

constexpr CpuidBit kTscDeadline{1, 0, CpuidRegister::kEcx, 24};
constexpr CpuidBit kLa57{7, 0, CpuidRegister::kEcx, 16};

absl::StatusOr<UniqueFd> OpenDevice(const char* path) {
  UniqueFd fd(open(path, O_RDWR | O_CLOEXEC));
  if (fd.valid()) return fd;
  const int error = errno;
  const char* advice = "";
  if (error == ENOENT || error == ENXIO || error == ENODEV) {
    advice = "; is kvm_intel or kvm_amd loaded, and virtualization switched on in the firmware?";
  } else if (error == EACCES || error == EPERM) {
    advice = "; membership in the group that owns it (often kvm) is needed";
  }
  const absl::Status status = ErrnoStatus(error, absl::StrFormat("open %s", path));
  return absl::Status(status.code(), absl::StrFormat("%s%s", std::string(status.message()), advice));
}

}  // namespace

absl::StatusOr<Kvm> Kvm::Open(const char* path) {
  ASSIGN_OR_RETURN(UniqueFd fd, OpenDevice(path));
  Kvm kvm(std::move(fd));
  ASSIGN_OR_RETURN(const int version, KvmIoctl(kvm.fd(), KVM_GET_API_VERSION, 0,
                                               absl::StrFormat("%s is not KVM: KVM_GET_API_VERSION", path)));
  if (version != KVM_API_VERSION) {
    return absl::UnimplementedError(
        absl::StrFormat("%s: KVM API version %d, but %d is needed", path, version, KVM_API_VERSION));
  }
  const auto check = [&kvm](int capability) { return ioctl(kvm.fd(), KVM_CHECK_EXTENSION, capability); };
  RETURN_IF_ERROR(CheckCapabilities(check));

  // If a kernel lacks KVM_CAP_MAX_VCPUS, the limit is KVM_CAP_NR_VCPUS. If it lacks that too, the limit is 4.
  kvm.max_vcpus_ = check(KVM_CAP_MAX_VCPUS);
  if (kvm.max_vcpus_ <= 0) kvm.max_vcpus_ = check(KVM_CAP_NR_VCPUS);
  if (kvm.max_vcpus_ <= 0) kvm.max_vcpus_ = 4;

  const int nested_state_size = check(KVM_CAP_NESTED_STATE);
  if (nested_state_size > 0) kvm.nested_state_size_ = static_cast<size_t>(nested_state_size);
  const int sync_regs = check(KVM_CAP_SYNC_REGS);
  kvm.has_sync_regs_ = sync_regs > 0 && (sync_regs & KVM_SYNC_X86_REGS) != 0;

  ASSIGN_OR_RETURN(const int run_size, KvmIoctl(kvm.fd(), KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE"));
  if (static_cast<size_t>(run_size) < sizeof(kvm_run)) {
    return absl::UnimplementedError(
        absl::StrFormat("KVM_GET_VCPU_MMAP_SIZE: %d bytes, less than struct kvm_run (%d)", run_size, sizeof(kvm_run)));
  }
  kvm.run_size_ = static_cast<size_t>(run_size);

  ASSIGN_OR_RETURN(kvm.supported_cpuid_, GetSupportedCpuid(kvm.fd()));
  // The timer needs the in-kernel irqchip, so older KVM reports it only as a capability.
  if (check(KVM_CAP_TSC_DEADLINE_TIMER) > 0) SetCpuidBit(kvm.supported_cpuid_, kTscDeadline, true);
  return kvm;
}

bool Kvm::HasLa57() const { return HasCpuidBit(supported_cpuid_, kLa57); }

}  // namespace vmm
