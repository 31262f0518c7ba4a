#include "vmm/kvm/msrs.h"

#include <linux/kvm.h>

#include <cstddef>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/kvm/kvm_ioctl.h"

namespace vmm {
namespace {

// struct kvm_msrs, alone and with its array, here of one. The kernel header's own is not used: before Linux 6.6 its
// size is wrong in C++, and the size is a part of the request numbers.
struct MsrsHeader {
  uint32_t nmsrs = 1;
  uint32_t pad = 0;
};
struct OneMsr {
  MsrsHeader header;
  kvm_msr_entry entry = {};
};
static_assert(sizeof(MsrsHeader) == 8 && sizeof(kvm_msr_entry) == 16 && offsetof(OneMsr, entry) == 8);
constexpr unsigned long kGetMsrs = _IOWR(KVMIO, 0x88, MsrsHeader);
constexpr unsigned long kSetMsrs = _IOW(KVMIO, 0x89, MsrsHeader);

}  // namespace

absl::StatusOr<uint64_t> ReadMsr(int vcpu_fd, const Msr& msr) {
  OneMsr list{.entry = {.index = msr.index}};
  ASSIGN_OR_RETURN(const int count, KvmIoctl(vcpu_fd, kGetMsrs, &list, "KVM_GET_MSRS"));
  if (count != 1) return absl::InternalError(absl::StrFormat("KVM cannot read MSR %#x (%s)", msr.index, msr.name));
  return list.entry.data;
}

absl::Status WriteMsr(int vcpu_fd, const Msr& msr, uint64_t value) {
  OneMsr list{.entry = {.index = msr.index, .data = value}};
  ASSIGN_OR_RETURN(const int count, KvmIoctl(vcpu_fd, kSetMsrs, &list, "KVM_SET_MSRS"));
  if (count == 1) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("KVM refuses %#x for MSR %#x (%s)", value, msr.index, msr.name));
}

}  // namespace vmm
